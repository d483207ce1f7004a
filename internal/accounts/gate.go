package accounts

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
)

// Store keeps accounts. Lookups of what does not exist return ErrNoUser, ErrNoToken or
// ErrNoSession.
type Store interface {
	User(ctx context.Context, name string) (User, error)
	Token(ctx context.Context, hash []byte) (Token, error)
	NoteTokenUse(ctx context.Context, hash []byte) error
	AddSession(ctx context.Context, s Session) error

	// BeginLogin adds a session unless the user no longer has the hash, which is
	// ErrDenied. newHash replaces the hash unless it is empty.
	BeginLogin(ctx context.Context, s Session, hash, newHash string) error
	Session(ctx context.Context, hash []byte) (Session, error)
	NoteSessionUse(ctx context.Context, hash []byte) error
	EndSession(ctx context.Context, hash []byte) error
}

// GateOptions configure a Gate.
type GateOptions struct {
	Store  Store
	Static string        // a token with the role of an operator; empty: none
	Idle   time.Duration // after which a session that nobody uses ends
	Life   time.Duration // after which every session ends
	Now    func() time.Time
	Log    *slog.Logger
}

// Gate finds out who has sent a request. It is safe for concurrent use.
type Gate struct {
	o      GateOptions
	static [sha256.Size]byte
	hasher *Hasher

	byPlace        *throttle // tries from an address
	byNameAndPlace *throttle // tries for a name from an address
	byName         *throttle // tries for a name: far more, so that strangers do not easily keep its owner out
}

// noteEvery is how often the use of a token or a session is written.
const noteEvery = time.Minute

// NewGate makes a Gate.
func NewGate(o GateOptions) *Gate {
	return &Gate{
		o: o, static: sha256.Sum256([]byte(o.Static)), hasher: NewHasher(),
		byPlace: newThrottle(3*time.Second, 20), byNameAndPlace: newThrottle(10*time.Second, 10), byName: newThrottle(5*time.Second, 100),
	}
}

// ByToken returns who has a token, or ErrDenied.
func (g *Gate) ByToken(ctx context.Context, secret string) (Identity, error) {
	if got := sha256.Sum256([]byte(secret)); g.o.Static != "" && subtle.ConstantTimeCompare(got[:], g.static[:]) == 1 {
		return Identity{Name: "http.token", Role: Operator}, nil // hashes have one length: the time reveals nothing
	}
	if g.o.Store == nil || !strings.HasPrefix(secret, TokenPrefix) {
		return Identity{}, ErrDenied
	}
	t, err := g.o.Store.Token(ctx, HashSecret(secret))
	now := g.o.Now()
	switch {
	case errors.Is(err, ErrNoToken), err == nil && t.Expired(now):
		return Identity{}, ErrDenied
	case err != nil:
		return Identity{}, err
	}
	if now.Sub(t.UsedAt) >= noteEvery {
		g.note(ctx, "token", g.o.Store.NoteTokenUse(ctx, t.Hash))
	}
	return Identity{Name: "token " + t.Name, Role: t.Role}, nil
}

// BySession returns whose session it is, or ErrDenied.
func (g *Gate) BySession(ctx context.Context, secret string) (Identity, error) {
	if g.o.Store == nil {
		return Identity{}, ErrDenied
	}
	s, err := g.o.Store.Session(ctx, HashSecret(secret))
	now := g.o.Now()
	switch {
	case errors.Is(err, ErrNoSession):
		return Identity{}, ErrDenied
	case err != nil:
		return Identity{}, err
	case !now.Before(s.ExpiresAt) || now.Sub(s.SeenAt) >= g.o.Idle:
		return Identity{}, ErrDenied
	}
	if now.Sub(s.SeenAt) >= min(noteEvery, g.o.Idle/4) {
		g.note(ctx, "session", g.o.Store.NoteSessionUse(ctx, s.Hash))
	}
	return Identity{Name: s.User, Role: s.Role, Session: s.Hash, CSRF: csrfToken(secret)}, nil
}

// note logs that a use could not be written. It does not fail the request: whoever may
// only read the database may still read by a token.
func (g *Gate) note(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		g.o.Log.WarnContext(ctx, "the last use of a "+what+" is not noted", "error", err)
	}
}

// WaitError says that somebody has tried too often.
type WaitError struct{ Wait time.Duration }

func (e *WaitError) Error() string {
	return "too many tries; wait " + english.Plural(int(e.Wait/time.Second)+1, "second", "")
}

// Login checks a password and begins a session, whose secret it returns. place is the
// address of the client. It returns a *WaitError after too many tries, ErrDenied and
// ErrBusy.
func (g *Gate) Login(ctx context.Context, name, password, place string) (secret string, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	key := string(HashSecret(name)) // of one length, whatever is sent
	now := g.o.Now()
	if wait := max(g.byPlace.wait(place, now), g.byNameAndPlace.wait(key+place, now)); wait > 0 {
		return "", &WaitError{wait}
	}
	if wait := g.byName.wait(key, now); wait > 0 {
		return "", &WaitError{wait}
	}
	u := User{}
	if CheckName(name) == nil {
		u, err = g.o.Store.User(ctx, name)
	}
	if err != nil && !errors.Is(err, ErrNoUser) {
		return "", err
	}
	ok, outdated, err := g.hasher.Verify(ctx, password, u.PasswordHash)
	if err != nil {
		return "", err
	}
	if !ok && u.Name == "" {
		return "", ErrUnknown
	}
	if !ok {
		return "", ErrDenied
	}
	newHash := ""
	if outdated {
		if newHash, err = g.hasher.Hash(ctx, password); err != nil {
			newHash = "" // the old one still holds
		}
	}
	secret, session := g.session(Session{User: u.Name, Role: u.Role})
	if err := g.o.Store.BeginLogin(ctx, session, u.PasswordHash, newHash); err != nil {
		return "", err
	}
	g.byNameAndPlace.forget(key + place) // but not the address: its owner may guess the passwords of others
	return secret, nil
}

// Begin begins a session of somebody whom an OpenID provider knows, and returns its secret.
func (g *Gate) Begin(ctx context.Context, name string, role Role) (secret string, err error) {
	secret, s := g.session(Session{User: name, Role: role, External: true})
	return secret, g.o.Store.AddSession(ctx, s)
}

func (g *Gate) session(s Session) (secret string, begun Session) {
	secret, s.Hash = NewSession()
	s.CreatedAt = g.o.Now()
	s.SeenAt, s.ExpiresAt = s.CreatedAt, s.CreatedAt.Add(g.o.Life)
	return secret, s
}

// Logout ends a session.
func (g *Gate) Logout(ctx context.Context, who Identity) error {
	if who.Session == nil {
		return nil
	}
	return g.o.Store.EndSession(ctx, who.Session)
}

// Life is how long a session lasts at most.
func (g *Gate) Life() time.Duration { return g.o.Life }
