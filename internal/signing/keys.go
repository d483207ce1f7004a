package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// Header is the name of the message header that has the signature.
const Header = "baler-signature"

// Errors of Verify.
var (
	ErrUnsigned   = errors.New("it has no signature")
	ErrUnknownKey = errors.New("it is signed with a key that this process does not have")
	ErrWrong      = errors.New("its signature does not fit its content")
)

// Keys sign messages with the first key, and verify them with any. A nil *Keys signs
// nothing and accepts everything. Make one with New. It is safe for concurrent use.
type Keys struct {
	keys []key
}

// key is one key, with MACs that can be used again: making one costs as much as the MAC of
// a small message.
type key struct {
	id   string
	macs *sync.Pool
}

// New makes the keys of their texts; nil without any.
func New(texts []string) *Keys {
	if len(texts) == 0 {
		return nil
	}
	k := &Keys{}
	for _, text := range texts {
		secret := []byte(text)
		k.keys = append(k.keys, key{
			id:   idOf(secret),
			macs: &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }},
		})
	}
	return k
}

// idOf names a key without showing it.
func idOf(secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("name of the key"))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

// IDs returns the names of the keys, in order. They are no secrets.
func (k *Keys) IDs() []string {
	if k == nil {
		return nil
	}
	ids := make([]string, len(k.keys))
	for i := range k.keys {
		ids[i] = k.keys[i].id
	}
	return ids
}

// Sign returns the signature of a message; empty without keys.
func (k *Keys) Sign(queue, kind string, payload []byte) string {
	if k == nil {
		return ""
	}
	first := &k.keys[0]
	return first.id + "." + base64.RawURLEncoding.EncodeToString(first.sum(queue, kind, payload))
}

// Verify returns an error that wraps one of those above unless one of the keys has signed
// the message.
func (k *Keys) Verify(queue, kind string, payload []byte, signature string) error {
	if k == nil {
		return nil
	}
	if signature == "" {
		return ErrUnsigned
	}
	id, text, _ := strings.Cut(signature, ".")
	for i := range k.keys {
		if k.keys[i].id != id {
			continue
		}
		// Strict, so that a message has one signature only.
		sum, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || !hmac.Equal(sum, k.keys[i].sum(queue, kind, payload)) {
			return ErrWrong
		}
		return nil
	}
	return fmt.Errorf("%w: %.16q, and this process has %s", ErrUnknownKey, id, strings.Join(k.IDs(), ", "))
}

// sum is the MAC of a message. Each part has its length before it, so that no two messages
// give the same bytes.
func (k *key) sum(queue, kind string, payload []byte) []byte {
	mac, _ := k.macs.Get().(hash.Hash) // the pool has nothing else
	defer k.macs.Put(mac)
	mac.Reset()
	parts := make([]byte, 0, 512)
	for _, part := range []string{"baler message 1", queue, kind, string(payload)} {
		parts = binary.BigEndian.AppendUint32(parts, uint32(len(part))) // a queue message is far smaller
		parts = append(parts, part...)
	}
	mac.Write(parts)
	return mac.Sum(nil)
}
