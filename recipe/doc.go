// Package recipe reads recipes: ordered lists of steps, written in YAML, that
// say what happens to the files of a transfer.
//
// Parse turns text into a Recipe, or reports everything wrong with it at once,
// each complaint with its line. Conditions and templates are compiled then; a
// Recipe is immutable afterwards and safe for use by many goroutines. Next
// decides which step a file goes to; Args renders what the step's handler is
// told. Both are pure: the same file and facts always give the same answer, so
// a route that is worked out again after a crash comes out the same. For that
// reason expressions cannot ask for the time.
//
// # Expressions
//
// Conditions ("when") and templates ("${ … }" inside "with") are written in
// the language of expr-lang.org, typed and checked when the recipe is read.
// They know these variables:
//
//	path   string          absolute path
//	name   string          last element of the path
//	dir    string          the path without its last element
//	ext    string          extension with its dot, in lower case; "" when there is none
//	size   int             bytes
//	mtime  time            modification time
//	facts  map             what earlier steps learnt of the file; a later step wins
//
// A fact that nobody has learnt is nil. Asking about it is safe: with a missing
// fact on either side, <, <=, >, >=, contains, startsWith, endsWith and
// matches are false, == is true only against nil, and where true or false is
// wanted (after not, beside and or or, as the whole condition) it counts as
// false. Anything else done with nil, as arithmetic or a function call, is an
// error at run time; give a default to avoid it: "(facts.width ?? 0) * 2 > 100",
// "facts.exif?.width".
//
// A condition that fails at run time selects nothing and rejects nothing: Next
// returns the error with the step's number, so that the file gets a result
// that tells what happened, instead of silently missing a step.
//
// The package knows no handlers: whether those that a recipe names exist is
// for Check to ask.
package recipe
