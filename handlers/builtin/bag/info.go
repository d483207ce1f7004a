package bag

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// writeInfo describes the bag: the fields that the handler computes, the recipe's fields,
// and the files that a manifest cannot list.
func (b *bagWriter) writeInfo(w io.Writer) error {
	fields := []field{
		{"Bag-Software-Agent", "Baler " + b.job.Version()},
		{"Bagging-Date", b.job.Now().UTC().Format("2006-01-02")},
	}
	if !slices.ContainsFunc(b.args.fields, func(f field) bool { return strings.EqualFold(f.name, "External-Identifier") }) {
		fields = append(fields, field{"External-Identifier", b.job.Transfer().UUID})
	}
	fields = append(fields,
		field{"Payload-Oxum", fmt.Sprintf("%d.%d", b.bytes, b.files)},
		field{"Bag-Size", humanize.IBytes(uint64(b.bytes))})
	fields = append(fields, b.args.fields...)
	if b.emptyFolders > 0 {
		fields = append(fields, field{strings.TrimSuffix(emptyLabel, ":"), strconv.FormatInt(b.emptyFolders, 10)})
	}
	if left := b.leftOut.String(); left != "" {
		fields = append(fields, field{"Left-Out", left})
	}
	for _, f := range fields {
		if _, err := io.WriteString(w, folded(f.name+": "+f.value)); err != nil {
			return err
		}
	}
	return nil
}

// lineLength is how long a line of bag-info.txt should be at most (RFC 8493, section 2.2.2).
const lineLength = 79

// folded breaks a long line at spaces. Continuation lines begin with a space. A word that
// is longer stays whole, because a break would become a space in it.
func folded(line string) string {
	var out strings.Builder
	length := 0
	for i, word := range strings.Split(line, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case i > 1 && length+1+n > lineLength && word != "":
			out.WriteString("\n ")
			length = 1
		default:
			out.WriteString(" ")
			length++
		}
		out.WriteString(word)
		length += n
	}
	return out.String() + "\n"
}
