// Package recipe reads recipes: ordered lists of steps, written in YAML, that
// say what happens to the files of a transfer.
//
// Parse turns text into a Recipe, or reports all its errors at once, each with its
// line. It also compiles conditions and templates. A Recipe is immutable and safe
// for concurrent use. Next decides which step a file goes to; Args renders the
// arguments of a step's handler. Both are pure: the same file and facts always give
// the same result, also after a crash. For that reason expressions cannot read the
// time.
//
// # Expressions
//
// Conditions ("when") and templates ("${ … }" inside "with") are written in
// the language of expr-lang.org. Parse checks their types. They can read these
// variables:
//
//	path   string          absolute path
//	name   string          last element of the path
//	dir    string          the path without its last element
//	ext    string          extension with its dot, in lower case; "" when there is none
//	size   int             bytes
//	mtime  time            modification time
//	facts  map             facts that earlier steps recorded; those of later steps win
//
// A missing fact is nil. Comparing it is safe: with a missing fact on either side,
// <, <=, >, >=, contains, startsWith, endsWith and matches are false, and == is true
// only for nil. As a condition, and as an operand of "not", "and" or "or", it counts as
// false. Any other use of nil, such as arithmetic or a function call, is an error at
// run time; a default avoids it: "(facts.width ?? 0) * 2 > 100",
// "facts.exif?.width".
//
// A step's rules are conditions by format, extension and size, or expressions, each with
// arguments of its own. Rules from a file or a built-in set become part of the recipe's
// text, so that a transfer keeps the rules that it began with.
//
// When a condition fails at run time, Next returns the error with the step's number,
// so that the file gets a result with the error, instead of silently missing a step.
//
// The package has no handlers: Check reports those that a registry does not have.
package recipe
