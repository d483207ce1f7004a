package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var errNotPositive = errors.New("give a number from 1")

// positive is a flag whose value is a number from 1.
type positive struct{ to *int }

func (p positive) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return errNotPositive
	}
	*p.to = n
	return nil
}

func (p positive) String() string {
	if p.to == nil { // pflag calls String of the zero value
		return ""
	}
	return strconv.Itoa(*p.to)
}

// Type names the kind of value to cobra.
func (positive) Type() string { return "int" }

// positives is a flag whose values are numbers from 1, separated by commas.
type positives struct{ to *[]int }

func (p positives) Set(s string) error {
	var all []int
	for part := range strings.SplitSeq(s, ",") {
		var n int
		if err := (positive{&n}).Set(strings.TrimSpace(part)); err != nil {
			return err
		}
		all = append(all, n)
	}
	*p.to = all
	return nil
}

func (p positives) String() string {
	if p.to == nil {
		return ""
	}
	texts := make([]string, len(*p.to))
	for i, n := range *p.to {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

// Type names the kind of value to cobra.
func (positives) Type() string { return "ints" }

// checked is a flag whose text must pass a check.
type checked struct {
	to    *string
	check func(string) error
}

func (c checked) Set(s string) error {
	if err := c.check(s); err != nil {
		return err
	}
	*c.to = s
	return nil
}

func (c checked) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

// Type names the kind of value to cobra.
func (checked) Type() string { return "string" }

// oneOf is a flag whose value is one of some words.
type oneOf struct {
	to    *string
	words []string
}

func (o oneOf) Set(s string) error {
	if !slices.Contains(o.words, s) {
		return notOneOf(s, o.words)
	}
	*o.to = s
	return nil
}

func (o oneOf) String() string {
	if o.to == nil {
		return ""
	}
	return *o.to
}

// Type names the kind of value to cobra.
func (oneOf) Type() string { return "string" }

// notOneOf is the error of a word that is none of those known, with the one that is meant.
func notOneOf(word string, known []string) error {
	if hint := didYouMean(word, known...); hint != "" {
		return fmt.Errorf("%q is not known%s", word, hint)
	}
	return fmt.Errorf("%q is not known; give %s", word, strings.Join(known, ", "))
}
