package bagit

import (
	"fmt"
	"strconv"
	"strings"
)

const oxumLabel = "payload-oxum"

// readInfo reads the bag's metadata, and compares the payload with its size and count.
func (b *bag) readInfo() {
	name := b.version.infoFile()
	if _, ok := b.tagFiles[name]; !ok {
		return // optional
	}
	content, err := b.read(name)
	if err != nil {
		b.wrongf(name, "cannot be read: %v", err)
		return
	}
	text, err := b.decode(content)
	if err != nil {
		b.wrongf(name, "is not %s: %v", b.encoding, err)
		return
	}
	oxums := 0
	for i, line := range splitLines(strings.TrimPrefix(text, "\ufeff")) {
		b.checkEncoding(name, i+1, line)
		if strings.TrimSpace(line) == "" || i > 0 && (line[0] == ' ' || line[0] == '\t') {
			continue // an empty line, or the continuation of the previous value
		}
		label, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(label) == "" {
			b.wrongf(name, "line %d is not 'LABEL: VALUE': %q", i+1, shorten(line))
			continue
		}
		if strings.EqualFold(strings.TrimSpace(label), oxumLabel) {
			oxums++
			b.checkOxum(name, strings.TrimSpace(value))
		}
	}
	if oxums > 1 {
		b.oddf(name, "has Payload-Oxum %d times", oxums)
	}
}

// checkOxum compares the payload with "BYTES.FILES".
func (b *bag) checkOxum(name, value string) {
	left, right, ok := strings.Cut(value, ".")
	size, err1 := strconv.ParseInt(left, 10, 64)
	files, err2 := strconv.ParseInt(right, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		b.wrongf(name, "Payload-Oxum %q is not BYTES.FILES", shorten(value))
		return
	}
	if is := fmt.Sprintf("%d.%d", b.report.Bytes, b.report.Files); size != b.report.Bytes || files != b.report.Files {
		b.wrongf(name, "Payload-Oxum is %s, but the payload has %s (bytes.files)", value, is)
	}
}
