package ingest

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// RunKeyOf is the key that all runs of the same sources, selection and recipe share.
func RunKeyOf(s *TransferRequest, sources []string) string {
	text := strings.Join(sources, "\x00") + "\x00\x00" + s.Recipe.Digest()
	if !s.Selection.All() {
		text += "\x00\x00" + s.Selection.String()
	}
	sum := sha256.Sum256([]byte(text))
	return base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]) // short: it is written twice for each file
}
