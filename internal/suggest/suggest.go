// Package suggest finds the known word that is similar to a misspelt one.
package suggest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// alphabet has the characters of the words in recipes and settings.
const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_-."

// maxLength limits the work for one word, which has about 80 candidates a letter.
const maxLength = 100

// Of returns a word that known accepts and that differs from word by one letter: an
// additional, missing or wrong one, or two adjacent ones exchanged. It returns "" when
// there is none. It takes a function instead of a list because a registry may only have
// lookups.
func Of(word string, known func(string) bool) string {
	if len(word) > maxLength {
		return ""
	}
	for near := range candidates(word) {
		if near != word && known(near) {
			return near
		}
	}
	return ""
}

// DidYouMean is the end of a message about a word that is not known: the known word that it
// was meant to be, or nothing when none is similar.
func DidYouMean(word string, known ...string) string {
	small := make(map[string]string, len(known)) // Of knows small letters only
	for _, k := range slices.Backward(known) {   // of several the first counts
		small[strings.ToLower(k)] = k
	}
	near, ok := small[strings.ToLower(word)]
	if !ok {
		near = small[Of(strings.ToLower(word), func(s string) bool { return small[s] != "" })]
	}
	if near == "" || near == word {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}

// candidates yields all strings that differ from word by one letter.
func candidates(word string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(word) {
			if !yield(word[:i] + word[i+1:]) {
				return
			}
			if i > 0 && !yield(word[:i-1]+word[i:i+1]+word[i-1:i]+word[i+1:]) {
				return
			}
		}
		for i := range len(word) + 1 {
			for _, c := range alphabet {
				if !yield(word[:i] + string(c) + word[i:]) {
					return
				}
				if i < len(word) && !yield(word[:i]+string(c)+word[i+1:]) {
					return
				}
			}
		}
	}
}
