package verify

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// list is a list of digests, in the format of md5sum and similar tools, or a manifest of a
// bag.
type list struct {
	path      string
	entries   map[string]entry // by absolute path of the file
	order     []string         // the paths in the order of the list
	malformed int              // number of lines that are not entries
	first     int              // number of the first such line
}

// entry is a line of a list.
type entry struct {
	algorithm string
	digest    string // in small letters
	line      int
}

// maxEntries limits the memory of a list.
const maxEntries = 5_000_000

var errTooManyEntries = fmt.Errorf("the list has more than %d entries", maxEntries)

// algorithmBySize is the algorithm by the number of hexadecimal digits of a digest.
func algorithmBySize(digits int) string {
	switch digits {
	case 32:
		return "md5"
	case 40:
		return "sha1"
	case 56:
		return "sha224"
	case 64:
		return "sha256"
	case 96:
		return "sha384"
	case 128:
		return "sha512"
	}
	return ""
}

// bsdLine matches a line such as "SHA256 (name) = digest", which BSD's tools, md5sum --tag
// and openssl write.
var bsdLine = regexp.MustCompile(`^(MD5|SHA1|SHA(?:2-)?(?:224|256|384|512)) ?\((.+)\) ?= ([0-9A-Fa-f]+)$`)

// readList parses a list. Names in it are relative to its folder.
func readList(file string, r io.Reader, progress func()) (*list, error) {
	l := &list{path: file, entries: make(map[string]entry)}
	inBag := isManifest(tasks.BaseName(file))
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 64<<10)
	for no := 1; lines.Scan(); no++ {
		if no%1000 == 0 {
			progress()
		}
		text := strings.TrimSuffix(lines.Text(), "\r")
		if no == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		name, e, ok := parseLine(text, inBag)
		if !ok && no == 1 {
			name, e, ok = l.bareDigest(text)
		}
		if !ok {
			if l.malformed++; l.malformed == 1 {
				l.first = no
			}
			continue
		}
		if inBag {
			name = unescapeManifest(name)
		}
		if len(l.entries) == maxEntries {
			return nil, errTooManyEntries
		}
		e.line = no
		l.add(name, e)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("a line is longer than 64 KiB: the file is not a list of digests")
		}
		return nil, err
	}
	return l, nil
}

func (l *list) add(name string, e entry) {
	file := name
	if !isWhole(name) {
		file = join(tasks.ParentPath(l.path), name)
	}
	if _, again := l.entries[file]; !again {
		l.order = append(l.order, file)
	}
	l.entries[file] = e
}

// parseLine parses a line in one of the two forms. In GNU's form, a backslash at the start
// of the line means that backslashes and line ends in the name are escaped.
func parseLine(text string, inBag bool) (name string, e entry, ok bool) {
	text, escaped := strings.CutPrefix(text, `\`)
	if m := bsdLine.FindStringSubmatch(text); m != nil {
		name, e = m[2], entry{digest: m[3], algorithm: algorithmByTag(m[1])}
	} else if name, e.digest, ok = parseGNU(text, inBag); ok {
		e.algorithm = algorithmBySize(len(e.digest))
	}
	if _, err := hex.DecodeString(e.digest); err != nil || name == "" || e.algorithm == "" || algorithmBySize(len(e.digest)) != e.algorithm {
		return "", e, false
	}
	e.digest = strings.ToLower(e.digest)
	if escaped {
		name = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(name)
	}
	return strings.TrimPrefix(name, "./"), e, true
}

// algorithmByTag is the algorithm that a BSD line names: MD5, SHA256, SHA2-256 …
func algorithmByTag(tag string) string {
	return strings.Replace(strings.ToLower(tag), "sha2-", "sha", 1)
}

// parseGNU cuts a line into digest and name. The blank or star after the first blank is the
// mode in which the file was read.
func parseGNU(text string, inBag bool) (name, digest string, ok bool) {
	at := strings.IndexAny(text, " \t")
	if at < 0 || at+1 == len(text) {
		return "", "", false
	}
	digest, name = text[:at], text[at+1:]
	if name[0] == ' ' || name[0] == '*' {
		name = name[1:]
	}
	if inBag { // any blanks are between the two, RFC 8493, section 2.1.3
		name = strings.TrimLeft(name, " \t")
	}
	return name, digest, true
}

// bareDigest reads a sidecar that has only a digest: that of the file in its own name.
func (l *list) bareDigest(text string) (name string, e entry, ok bool) {
	digest := strings.TrimSpace(text)
	if _, err := hex.DecodeString(digest); err != nil {
		return "", e, false
	}
	base := tasks.BaseName(l.path)
	extension := path.Ext(base)
	e = entry{algorithm: algorithmBySize(len(digest)), digest: strings.ToLower(digest)}
	if e.algorithm == "" || extension != "."+e.algorithm || base == extension {
		return "", e, false
	}
	return strings.TrimSuffix(base, extension), e, true
}

// unescapeManifest decodes a path of a manifest (RFC 8493, section 2.1.3). Bags before 1.0
// have no %25.
func unescapeManifest(name string) string {
	return strings.NewReplacer("%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r", "%25", "%").Replace(name)
}
