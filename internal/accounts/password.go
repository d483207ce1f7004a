package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The bounds of a password, in bytes.
const (
	shortestPassword = 10
	longestPassword  = 256
)

// CheckPassword reports why a password cannot be used. The error does not contain it.
func CheckPassword(password string) error {
	switch {
	case len(password) < shortestPassword:
		return fmt.Errorf("the password is too short; use %d characters or more", shortestPassword)
	case len(password) > longestPassword:
		return fmt.Errorf("the password is too long; use %d bytes at most", longestPassword)
	}
	return nil
}

// params are the costs of a hash.
type params struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// present are the costs of new hashes: those that OWASP's Password Storage Cheat Sheet
// gives for argon2id.
func present() params { return params{memory: 19 << 10, time: 2, threads: 1} }

// The most that a stored hash may cost, so that a row of the database cannot exhaust the
// memory.
const (
	mostMemory  = 256 << 10
	mostTime    = 16
	mostThreads = 16
)

const saltSize, keySize = 16, 32

// Hasher hashes passwords, so many at once. Make one with NewHasher.
type Hasher struct {
	slots   chan struct{}
	waiting chan struct{}
	decoy   string // is checked when there is no user
}

const (
	hashesAtOnce = 2  // about 40 MiB
	mostWaiting  = 32 // logins that wait for a slot
)

// NewHasher makes a Hasher.
func NewHasher() *Hasher {
	h := &Hasher{slots: make(chan struct{}, hashesAtOnce), waiting: make(chan struct{}, mostWaiting+hashesAtOnce)}
	// The key is random: no password has it.
	h.decoy = encode(present(), randomBytes(saltSize), randomBytes(keySize))
	return h
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// Hash returns a hash of a password with its parameters, in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	salt := randomBytes(saltSize)
	key, err := h.key(ctx, password, salt, present(), keySize)
	if err != nil {
		return "", err
	}
	return encode(present(), salt, key), nil
}

// Verify reports whether a password has a hash. An empty hash, of a user that does not
// exist, takes the time of any other. outdated says that new hashes cost more or less.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	if len(password) > longestPassword {
		password = password[:longestPassword] // it cannot be right, and takes the same time
		hash = ""
	}
	missing := hash == ""
	if missing {
		hash = h.decoy
	}
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, password, salt, p, len(want))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && !missing, p != present(), nil
}

// key waits for a slot. Too many that wait get ErrBusy.
func (h *Hasher) key(ctx context.Context, password string, salt []byte, p params, size int) ([]byte, error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	defer func() { <-h.waiting }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, uint32(size)), nil
}

func encode(p params, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b64(salt), b64(key))
}

// errHash does not contain the hash.
var errHash = errors.New("the stored hash of the password cannot be read; set a new one with 'baler user passwd'")

func decode(hash string) (p params, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); n != 3 || err != nil {
		return p, nil, nil, errHash
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err == nil {
		key, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	costs := p.memory >= 8 && p.memory <= mostMemory && p.time >= 1 && p.time <= mostTime && p.threads >= 1 && p.threads <= mostThreads
	if err != nil || !costs || len(salt) < 8 || len(key) < 16 || len(key) > 64 {
		return p, nil, nil, errHash
	}
	return p, salt, key, nil
}
