package bagit

import (
	"bufio"
	"crypto/md5"  //nolint:gosec // bags have these digests
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/transform"
)

// algorithms returns the digests that can be checked, by their names in manifests.
func algorithms() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	}
}

// expectation has the digests of a file in the manifests.
type expectation struct {
	digests map[string]string // by algorithm, in small letters
}

// maxLine is longer than a line of a manifest can be.
const maxLine = 64 << 10

// readManifests reads all manifests of the bag.
func (b *bag) readManifests() {
	known := algorithms()
	for _, name := range slices.Sorted(maps.Keys(b.tagFiles)) {
		tag := strings.HasPrefix(name, "tagmanifest-")
		rest, isManifest := strings.CutPrefix(strings.TrimPrefix(name, "tag"), "manifest-")
		algorithm, isText := strings.CutSuffix(rest, ".txt")
		if !isManifest || !isText || strings.Contains(name, "/") {
			continue
		}
		algorithm = strings.ReplaceAll(strings.ToLower(algorithm), "-", "")
		if known[algorithm] == nil {
			b.wrongf(name, "the algorithm %q is unknown; known are md5, sha1, sha224, sha256, sha384 and sha512", algorithm)
			continue
		}
		if !tag {
			b.report.Algorithms = append(b.report.Algorithms, algorithm)
		}
		b.readManifest(name, algorithm, tag)
	}
	if len(b.report.Algorithms) == 0 {
		b.wrongf("", "the payload has no manifest that can be checked, such as manifest-sha512.txt")
	}
}

// readManifest reads a manifest line by line, because it may be large.
func (b *bag) readManifest(name, algorithm string, tag bool) {
	f, err := b.root.Open(name)
	if err != nil {
		b.wrongf(name, "cannot be read: %v", err)
		return
	}
	defer f.Close() // only read from
	decoder, err := b.decoder()
	if err != nil {
		b.wrongf(name, "%v", err)
		return
	}
	lines := bufio.NewScanner(transform.NewReader(f, decoder))
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	lines.Split(scanAnyLine)
	seen := map[string]bool{}
	for no := 1; lines.Scan(); no++ {
		if line := lines.Text(); strings.TrimSpace(line) != "" {
			b.manifestLine(name, algorithm, tag, no, line, seen)
		}
	}
	if err := lines.Err(); err != nil {
		b.wrongf(name, "cannot be read to its end: %v", err)
	}
}

func (b *bag) manifestLine(name, algorithm string, tag bool, no int, line string, seen map[string]bool) {
	b.checkEncoding(name, no, line)
	digest, listed, ok := cutAtBlanks(line)
	if _, err := hex.DecodeString(digest); !ok || err != nil {
		b.wrongf(name, "line %d is not a digest and a path: %q", no, shorten(line))
		return
	}
	if size := algorithms()[algorithm]().Size(); len(digest) != 2*size {
		b.wrongf(name, "line %d: a digest by %s has %d digits, not %d", no, algorithm, 2*size, len(digest))
		return
	}
	if rest, starred := strings.CutPrefix(listed, "*"); starred && !b.has(listed) {
		b.oddf(name, "line %d has the star of md5sum before the path", no)
		listed = rest
	}
	file, err := b.resolve(name, listed)
	if err != nil {
		b.wrongf(name, "line %d: %v: %q", no, err, shorten(listed))
		return
	}
	if payload := strings.HasPrefix(file, payloadFolder+"/"); payload == tag {
		b.wrongf(name, "line %d: %q does not belong here: payload manifests list the files in data/, tag manifests the others", no, file)
		return
	}
	digest = strings.ToLower(digest)
	e := b.expected[file]
	if e == nil {
		e = &expectation{digests: map[string]string{}}
		b.expected[file] = e
	}
	if seen[file] {
		if b.version.v1() || e.digests[algorithm] != digest {
			b.wrongf(name, "line %d lists %q again", no, file)
		} else {
			b.oddf(name, "line %d lists %q again", no, file)
		}
		return
	}
	seen[file] = true
	e.digests[algorithm] = digest
}

var errOutside = errors.New("the path leads out of the bag")

// resolve returns the path on disk of a file that a list names.
func (b *bag) resolve(list, listed string) (string, error) {
	decoded := b.unescape(listed)
	if strings.HasPrefix(decoded, "./") {
		b.oddf(list, "%q begins with ./", listed)
	}
	if strings.HasPrefix(decoded, "/") || strings.HasPrefix(decoded, "~") || len(decoded) > 2 && decoded[1:3] == `:\` {
		return "", errOutside
	}
	clean := path.Clean(decoded)
	if clean == ".." || strings.HasPrefix(clean, "../") || slices.Contains(strings.Split(decoded, "/"), "..") {
		return "", errOutside
	}
	if b.has(clean) {
		return clean, nil
	}
	if there, ok := b.names[fold(clean)]; ok && there != clean {
		b.oddf(list, "%q exists as %q, which differs in case or in the encoding of accents", listed, there)
		return there, nil
	}
	return clean, nil
}

// unescape decodes the escapes of manifests for line ends in paths, and, since 1.0, for
// the percent sign itself (RFC 8493, section 2.1.3).
func (b *bag) unescape(p string) string {
	r := []string{"%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r"}
	if b.version.v1() {
		r = append(r, "%25", "%")
	}
	return strings.NewReplacer(r...).Replace(p)
}

// cutAtBlanks cuts a line at its first blanks.
func cutAtBlanks(line string) (before, after string, ok bool) {
	at := strings.IndexAny(line, " \t")
	if at <= 0 {
		return "", "", false
	}
	after = strings.TrimLeft(line[at:], " \t")
	return line[:at], after, after != ""
}

// scanAnyLine splits at LF, CR or CRLF.
func scanAnyLine(data []byte, atEOF bool) (advance int, token []byte, err error) {
	for i, c := range data {
		switch {
		case c == '\n':
			return i + 1, data[:i], nil
		case c != '\r':
		case i+1 < len(data) && data[i+1] == '\n':
			return i + 2, data[:i], nil
		case i+1 < len(data) || atEOF:
			return i + 1, data[:i], nil
		default:
			return 0, nil, nil // a LF may follow
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// shorten shortens text for a message.
func shorten(s string) string {
	const shown = 200
	if len(s) > shown {
		return s[:shown] + "…"
	}
	return s
}
