package extract

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/unicode/norm"

	"github.com/balerhq/baler/tasks"

	"golang.org/x/text/encoding"
)

// decoder makes text of bytes.
type decoder interface {
	String(s string) (string, error)
}

type codePage struct {
	name string
	page encoding.Encoding
}

// codePages are those that archives have and that the web does not.
func codePages() []codePage {
	return []codePage{
		{"cp437", charmap.CodePage437}, {"cp850", charmap.CodePage850}, {"cp852", charmap.CodePage852}, {"cp855", charmap.CodePage855},
		{"cp858", charmap.CodePage858}, {"cp860", charmap.CodePage860}, {"cp862", charmap.CodePage862}, {"cp863", charmap.CodePage863},
		{"cp865", charmap.CodePage865}, {"cp866", charmap.CodePage866}, {"cp932", japanese.ShiftJIS}, {"cp949", korean.EUCKR},
	}
}

// Codes of members that are refused.
const (
	CodeUnsafePath   = "unsafe-path"    // it leads out of the folder, or does so on Windows
	CodeBadName      = "bad-name"       // an empty name, or one with a NUL
	CodeReservedName = "reserved-name"  // a name that Windows keeps for a device, or that ends with a dot or a space
	CodeNameTooLong  = "name-too-long"  // no file system takes it
	CodeDuplicate    = "duplicate-name" // another member has the name, perhaps in other letter case
	CodeLink         = "link-member"    // a symbolic link
	CodeHardLink     = "hard-link-member"
	CodeSpecial      = "special-member" // a device or pipe
	CodeEncrypted    = "encrypted"
)

// Limits of Linux, of most other systems, and of object storage, in bytes.
const (
	maxNameLength = 255
	maxPathLength = 4095
	maxKeyLength  = 1024 // of the services
)

// refusal is why a member is not extracted. The others are.
type refusal struct {
	code string
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Errorf(format, args...)}
}

// nameOf returns the name of a member as text, and whether it had to be guessed or escaped,
// which a person should know.
func nameOf(m *member, legacy decoder) (name, remark string) {
	switch {
	case m.name != "" && utf8.ValidString(m.name):
		return m.name, ""
	case utf8.ValidString(m.raw):
		return m.raw, ""
	}
	if name, err := legacy.String(m.raw); err == nil && !strings.ContainsRune(name, utf8.RuneError) {
		return name, fmt.Sprintf("the name %q is in a legacy encoding and was read as %q", m.raw, name)
	}
	name = escape(m.raw)
	return name, fmt.Sprintf("the name %q cannot be decoded and is written as %q, with its bytes after percent signs", m.raw, name)
}

// escape writes bytes that are no text, and percent signs, as %XX, so that the name can be
// read back.
func escape(raw string) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, width := utf8.DecodeRuneInString(raw)
		if r == utf8.RuneError && width == 1 || r == '%' {
			fmt.Fprintf(&b, "%%%02X", raw[0])
		} else {
			b.WriteString(raw[:width])
		}
		raw = raw[width:]
	}
	return b.String()
}

// checkName returns the path, with slashes, that a name stands for below the folder of the
// archive.
func checkName(name string) (string, error) {
	switch {
	case strings.ContainsRune(name, 0):
		return "", refuse(CodeBadName, "the name has a NUL")
	case strings.HasPrefix(name, "/"):
		return "", refuse(CodeUnsafePath, "the path is absolute")
	case strings.Contains(name, `\`):
		return "", refuse(CodeUnsafePath, "the path has a backslash, which Windows takes for a separator")
	case len(name) >= 2 && name[1] == ':' && isLetter(name[0]):
		return "", refuse(CodeUnsafePath, "the path begins with the letter of a drive")
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			continue // as every program reads it
		case part == "..":
			return "", refuse(CodeUnsafePath, "the path leads to the folder above with ..")
		case len(part) > maxNameLength:
			return "", refuse(CodeNameTooLong, "a name of %d bytes; %d is the most", len(part), maxNameLength)
		case reserved(part), runtime.GOOS == "windows" && forbidden(part):
			return "", refuse(CodeReservedName, "%q is a name that Windows does not allow", part)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "", refuse(CodeBadName, "the name is empty")
	}
	return strings.Join(parts, "/"), nil
}

// checkRaw refuses a name that results cannot show as the archive has it. The path that it
// means may still be valid, because a zip file can have a second name for a member, or
// because of segments such as "./".
func checkRaw(raw string) error {
	switch {
	case raw == "" || strings.ContainsRune(raw, 0):
		return refuse(CodeBadName, "the name in the archive is empty or has a NUL")
	case len(raw) > maxPathLength:
		return refuse(CodeNameTooLong, "the name in the archive has %d bytes; %d is the most", len(raw), maxPathLength)
	}
	return nil
}

// checkLength refuses a path that no file system, or no service, takes.
func checkLength(path string) error {
	if tasks.IsObject(path) {
		if _, key := tasks.SplitObject(path); len(key) > maxKeyLength {
			return refuse(CodeNameTooLong, "the key would have %d bytes; %d is the most", len(key), maxKeyLength)
		}
		return nil
	}
	if len(path) > maxPathLength {
		return refuse(CodeNameTooLong, "the path would have %d bytes; %d is the most", len(path), maxPathLength)
	}
	return nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// reserved reports whether Windows keeps a name for a device, or cannot keep it as it is.
func reserved(name string) bool {
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return true
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	digit, device := strings.CutPrefix(base, "COM")
	if !device {
		digit, device = strings.CutPrefix(base, "LPT")
	}
	return device && slices.Contains([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"}, digit)
}

// forbidden reports whether a name has a character that Windows allows in none. Other systems allow
// them, and archives from there have them.
func forbidden(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`<>:"|?*`, r) })
}

// taken remembers the paths of members, so that none takes the place of another on a file
// system that does not tell letter cases or forms of a character apart.
type taken struct {
	files   map[string]string // folded path → path
	folders map[string]string
}

func newTaken() *taken {
	return &taken{files: make(map[string]string), folders: make(map[string]string)}
}

func fold(path string) string { return strings.ToLower(norm.NFC.String(path)) }

// take records that a file has this path, which has slashes.
func (t *taken) take(rel string) error {
	key := fold(rel)
	if other, ok := t.files[key]; ok {
		return refuse(CodeDuplicate, "member %q has this name already", other)
	}
	if other, ok := t.folders[key]; ok {
		return refuse(CodeDuplicate, "there is a folder of this name already: %q", other)
	}
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		if other, ok := t.files[fold(dir)]; ok {
			return refuse(CodeDuplicate, "member %q is a file, and cannot be a folder, too", other)
		}
	}
	t.files[key] = rel
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		t.folders[fold(dir)] = dir
	}
	return nil
}

// Errors that say what is wrong with an archive as a whole.
var (
	errTruncated   = errors.New("the archive ends too early")
	errOverlapping = errors.New("members of the archive overlap, as in a zip bomb")
	errUnsupported = errors.New("extract does not read this variant")
	errEncrypted   = errors.New("the archive is encrypted, the names of its members, too")
)
