package bagit

import (
	"errors"
	"io/fs"
	"strings"
)

const fetchFile = "fetch.txt"

// readFetch reads the list of files that are to be fetched. A bag is complete only when
// they have been fetched.
func (b *bag) readFetch() {
	content, err := b.read(fetchFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		b.wrongf(fetchFile, "cannot be read: %v", err)
		return
	}
	text, err := b.decode(content)
	if err != nil {
		b.wrongf(fetchFile, "is not %s: %v", b.encoding, err)
		return
	}
	for i, line := range splitLines(strings.TrimPrefix(text, "\ufeff")) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		url, rest, ok1 := cutAtBlanks(line)
		length, listed, ok2 := cutAtBlanks(rest)
		if !ok1 || !ok2 || url == "" || strings.Trim(length, "0123456789") != "" && length != "-" {
			b.wrongf(fetchFile, "line %d is not a URL, a length and a path: %q", i+1, shorten(line))
			continue
		}
		file, err := b.resolve(fetchFile, listed)
		switch {
		case err != nil:
			b.wrongf(fetchFile, "line %d: %v: %q", i+1, err, shorten(listed))
		case !strings.HasPrefix(file, payloadFolder+"/"):
			b.wrongf(fetchFile, "line %d: %q is not in data/", i+1, file)
		default:
			b.fetched[file] = true
		}
	}
}
