// Package suggest finds the known word that somebody probably meant.
package suggest

import "iter"

// alphabet is what the words of recipes and settings are made of.
const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_-."

// longest bounds the work for one word: its near misses number about 80 a letter.
const longest = 100

// Of returns a word that known accepts and that is one slip away from word: a
// letter too many, missing, wrong, or swapped with its neighbour. Empty when
// there is none. It asks instead of taking a list, so that a registry that
// only answers "is there one?" will do.
func Of(word string, known func(string) bool) string {
	if len(word) > longest {
		return ""
	}
	for near := range slips(word) {
		if near != word && known(near) {
			return near
		}
	}
	return ""
}

func slips(word string) iter.Seq[string] {
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
