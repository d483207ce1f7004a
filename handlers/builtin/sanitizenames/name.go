package sanitizenames

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is how long a safe name is at most, in bytes.
const maxName = 200

// hashLength is how many hexadecimal digits tell changed names apart.
const hashLength = 8

// SanitizePath sanitizes each name of a path with slashes.
func SanitizePath(path string) string {
	names := strings.Split(path, "/")
	for i := range names {
		names[i] = Sanitize(names[i])
	}
	return strings.Join(names, "/")
}

// Sanitize returns a name of the characters A-Z a-z 0-9 . _ - ( ) that is safe on every
// common system. A safe name stays as it is. In another one, accents are removed, every run
// of other characters becomes an underscore, and a hash of the original name is added before
// the extension: so two names never become the same, in whatever order and how often they
// are sanitized.
func Sanitize(name string) string {
	if isSafe(name) {
		return name
	}
	hash := sha256.Sum256([]byte(name))
	base, ext := name, ""
	if at := strings.LastIndexByte(name, '.'); at > 0 && len(name)-at <= 16 {
		base, ext = name[:at], plain(name[at+1:])
	}
	base = strings.TrimRight(plain(base), "._-")
	if len(base) > maxName-30 {
		base = base[:maxName-30]
	}
	if base == "" || base[0] == '-' {
		base = "_" + base
	}
	safe := base + "-" + hex.EncodeToString(hash[:])[:hashLength]
	if ext = strings.Trim(ext, "._"); ext != "" {
		safe += "." + ext
	}
	if !isSafe(safe) { // the name is that of a device
		safe = "_" + safe
	}
	return safe
}

// isSafe reports whether a name can stay.
func isSafe(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '-' || strings.HasSuffix(name, ".") || isDevice(name) {
		return false
	}
	for i := range len(name) {
		if !isPlain(rune(name[i])) {
			return false
		}
	}
	return true
}

func isPlain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-()", r)
}

// isDevice reports whether the name means a device on Windows.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && '1' <= base[3] && base[3] <= '9'
}

// plain removes accents, and makes an underscore of each run of other characters.
func plain(name string) string {
	var b strings.Builder
	replaced := false
	for _, r := range norm.NFKD.String(name) {
		switch {
		case isPlain(r):
			b.WriteRune(r)
			replaced = false
		case unicode.Is(unicode.Mn, r):
		case !replaced:
			b.WriteByte('_')
			replaced = true
		}
	}
	return b.String()
}

// text is a name as it can be recorded: bytes that are not UTF-8 become %XX, and then %
// becomes %25, so that the name can be read back.
func text(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, width := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && width == 1 || r == '%' {
			fmt.Fprintf(&b, "%%%02X", name[0])
		} else {
			b.WriteString(name[:width])
		}
		name = name[width:]
	}
	return b.String()
}
