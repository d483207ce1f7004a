package bag

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
)

type bagArgs struct {
	To            string         `json:"to"`
	Algorithms    []string       `json:"algorithms"`
	Info          map[string]any `json:"info"`
	Metadata      []string       `json:"metadata"`
	Serialization string         `json:"serialization"`
	fields        []field        // of Info
}

// field is one line of bag-info.txt.
type field struct{ name, value string }

// allAlgorithms are those that a bag can have manifests of.
func allAlgorithms() []string { return []string{"md5", "sha1", "sha256", "sha512"} }

func newBagArgs(args any) (b bagArgs, err error) {
	if err := handlers.DecodeArgs(args, &b); err != nil {
		return b, err
	}
	bad := func(format string, a ...any) (bagArgs, error) {
		return b, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf(format, a...))
	}
	if b.To == "" {
		return bad("to is missing: set it to the folder of the bag")
	}
	if b.Algorithms == nil {
		b.Algorithms = []string{"sha256"}
	}
	if len(b.Algorithms) == 0 {
		return bad("algorithms is empty: a bag has a manifest at least, for example [sha256, sha512]")
	}
	for i, a := range b.Algorithms {
		if !checksum.Known(a) {
			return bad("unknown algorithm %q: one of %s", a, strings.Join(allAlgorithms(), ", "))
		}
		if slices.Contains(b.Algorithms[:i], a) {
			return bad("the algorithm %s is there twice", a)
		}
	}
	if b.fields, err = fieldsOf(b.Info); err != nil {
		return bad("info: %w", err)
	}
	if err := checkMetadata(b.Metadata); err != nil {
		return bad("metadata: %w", err)
	}
	if err := checkSerialization(b.Serialization, b.To); err != nil {
		return bad("serialization: %w", err)
	}
	return b, nil
}

// computed are the algorithms by which copies are compared: those of the manifests, and
// sha256, which most transfers have.
func (b *bagArgs) computed() []string {
	if slices.Contains(b.Algorithms, "sha256") {
		return b.Algorithms
	}
	return append(slices.Clip(b.Algorithms), "sha256")
}

// ours are the fields that the bag itself decides.
func ours() []string {
	return []string{"Bagging-Date", "Payload-Oxum", "Bag-Size", "Bag-Software-Agent", "Empty-Folders", "Left-Out"}
}

// fieldsOf reads the fields of bag-info.txt: a text, or a list of texts for a field that is
// there several times. They are sorted by name, because a recipe's order is not kept.
func fieldsOf(info map[string]any) (fields []field, err error) {
	for name, value := range info {
		if err := checkName(name); err != nil {
			return nil, err
		}
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		}
		for _, v := range values {
			text, err := textOf(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			fields = append(fields, field{name, text})
		}
	}
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields, nil
}

func checkName(name string) error {
	wrong := func(r rune) bool { return r == ':' || !unicode.IsPrint(r) }
	switch {
	case name == "" || strings.TrimSpace(name) != name || strings.ContainsFunc(name, wrong) || !utf8.ValidString(name):
		return fmt.Errorf("%q is not a name of a field: it must be text without a colon, spaces around it and control characters", name)
	case slices.ContainsFunc(ours(), func(of string) bool { return strings.EqualFold(of, name) }):
		return fmt.Errorf("%s is written by Baler itself: leave it out", name)
	}
	return nil
}

func textOf(v any) (string, error) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case float64, int, int64, uint64, bool:
		text = fmt.Sprint(v)
	default:
		return "", errors.New("it must be a text, a number or a list of them")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fmt.Errorf("%q contains a control character or is not UTF-8", text)
	}
	if strings.TrimSpace(text) == "" {
		return "", errors.New("it is empty: leave the field out")
	}
	return strings.TrimSpace(text), nil
}
