package architecture

import (
	"errors"
	"regexp"
	"strings"
)

// The picture is between these lines of the page.
const (
	begin = "```mermaid\n"
	end   = "```\n"
)

var errNoPicture = errors.New("the page has no ```mermaid block")

// Picture returns the picture that a page shows.
func Picture(page string) (string, error) {
	_, rest, found := strings.Cut(page, begin)
	picture, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", errNoPicture
	}
	return picture, nil
}

// Redraw returns the page with its picture replaced.
func Redraw(page, picture string) (string, error) {
	old, err := Picture(page)
	if err != nil {
		return "", err
	}
	return strings.Replace(page, begin+old+end, begin+picture+end, 1), nil
}

// hop matches a line of the numbered list, which begins with a function's name.
var hop = regexp.MustCompile("(?m)^\\d+\\. `([^`]+)`")

// Hops returns the functions that the numbered lists of a page name, each as
// PACKAGE.Function or PACKAGE.Type.Method with the package's path below the module.
func Hops(page string) (names []string) {
	for _, m := range hop.FindAllStringSubmatch(page, -1) {
		names = append(names, m[1])
	}
	return names
}
