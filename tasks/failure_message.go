package tasks

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// MaxFailureMessage is how many bytes FailureMessage returns at most.
const MaxFailureMessage = 255

// anyValue replaces the parts of a failure's message that differ from file to file.
const anyValue = "…"

// FailureMessage returns the first line of an error without the parts that differ from file
// to file: quoted text, absolute paths, addresses of objects, identifiers and numbers. So failures of the same
// kind have the same message: "open /a/b: no space left on device" becomes "open …: no
// space left on device". Without an error it names the exit code, if that says anything.
func FailureMessage(text string, exitCode int) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(clip(line, 4*MaxFailureMessage)) // a line may be very long
	if line == "" {
		if exitCode != 0 {
			return fmt.Sprintf("exit code %d", exitCode)
		}
		return ""
	}
	for _, p := range variableParts() {
		line = p.ReplaceAllString(line, "${1}"+anyValue+"${2}")
	}
	return clip(line, MaxFailureMessage)
}

// clip is at most n bytes of s, up to the end of a character, without what is not UTF-8.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// variableParts match, between their first and second group, what differs from file to
// file. A path ends before a colon and a space, or else at a space.
var variableParts = sync.OnceValue(func() []*regexp.Regexp { //nolint:gochecknoglobals // compiled once
	return []*regexp.Regexp{
		regexp.MustCompile(`()"[^"]*"()`),
		regexp.MustCompile(`(^|[\s(=\[])'[^']*'($|[\s).,:;\]])`),
		regexp.MustCompile(`(^|[\s(=\[])[A-Za-z][A-Za-z0-9+.-]*://(?:[^:]|:\S)+?(: )`),
		regexp.MustCompile(`(^|[\s(=\[])[A-Za-z][A-Za-z0-9+.-]*://[^\s;,)\]]*[^\s:;,)\]]()`),
		regexp.MustCompile(`(^|[\s(=\[])(?:[A-Za-z]:\\|/)[^:]+(: )`),
		regexp.MustCompile(`(^|[\s(=\[])(?:[A-Za-z]:\\|/)[^\s:;,)\]]+()`),
		regexp.MustCompile(`()\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b()`),
		regexp.MustCompile(`()\b(?:0x)?[0-9a-fA-F]{16,}\b()`),
		regexp.MustCompile(`()\d+(?:[.,:]\d+)*()`),
	}
})
