package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// TokenPrefix begins every API token, so that people and scanners recognize leaked ones.
const TokenPrefix = "baler_"

// NewToken makes the secret of an API token, and its hash.
func NewToken() (secret string, hash []byte) {
	secret = TokenPrefix + RandomText()
	return secret, HashSecret(secret)
}

// NewSession makes the secret of a session, and its hash.
func NewSession() (secret string, hash []byte) {
	secret = RandomText()
	return secret, HashSecret(secret)
}

// RandomText returns 256 random bits as text.
func RandomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// HashSecret hashes a secret that is random: it needs no salt, and no slow hash.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// csrfToken is what the forms of a session carry. It says nothing about the secret, which
// a page of another site does not know.
func csrfToken(secret string) string {
	sum := sha256.Sum256([]byte("csrf\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
