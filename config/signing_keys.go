package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// minSigningKey is the least length of a signing key, in characters. Who can read Redis has
// messages with their signatures, and can try short keys.
const minSigningKey = 32

// ReadSigningKeys returns the keys that sign queue messages, from the settings or from their
// file; nil when messages are not signed. An embedded queue needs none: no other process can
// write to it. Errors do not show the keys.
func (r RedisSettings) ReadSigningKeys() ([]string, error) {
	if r.URL == string(Embedded) {
		return nil, nil
	}
	if r.SigningKeysFile == "" {
		return r.SigningKeys, nil
	}
	content, err := os.ReadFile(r.SigningKeysFile)
	if err != nil {
		return nil, fmt.Errorf("read redis.signing_keys_file: %w", err)
	}
	// Some editors begin a file with a mark, which would make another key of the first one.
	keys, err := signingKeysOf(strings.TrimPrefix(string(content), "\ufeff"))
	if err == nil {
		err = checkSigningKeys(keys)
	}
	if err != nil {
		return nil, fmt.Errorf("redis.signing_keys_file: %s: %w", r.SigningKeysFile, err)
	}
	return keys, nil
}

// signingKeysOf reads the keys of a file, one a line. Lines that are empty, or begin with #,
// hold none.
func signingKeysOf(content string) (keys []string, err error) {
	no := 0
	for line := range strings.Lines(content) {
		no++
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case len(words) > 1:
			return nil, fmt.Errorf("line %d has %d words; write each key on a line of its own, without blanks, "+
				"and comments on lines that begin with #", no, len(words))
		case len(words[0]) < minSigningKey:
			return nil, fmt.Errorf("line %d has a key of %d characters, which needs %d or more; `openssl rand -hex 32` makes one",
				no, len(words[0]), minSigningKey)
		default:
			keys = append(keys, words[0])
		}
	}
	return keys, nil
}

// checkSigningKeys reports why keys cannot be used.
func checkSigningKeys(keys []string) error {
	if len(keys) == 0 {
		return errors.New("has no key; `openssl rand -hex 32` makes one")
	}
	for i, key := range keys {
		switch {
		case len(key) < minSigningKey:
			return fmt.Errorf("key %d has %d characters, and needs %d or more; `openssl rand -hex 32` makes one", i+1, len(key), minSigningKey)
		case slices.Contains(keys[:i], key):
			return fmt.Errorf("key %d is there twice; leave one of them out", i+1)
		}
	}
	return nil
}
