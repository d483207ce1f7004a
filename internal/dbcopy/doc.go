// Package dbcopy copies all rows of one database of Baler into another, empty one, of the same
// or of another kind, and compares both in the end. A copy that was cut off goes on when it is
// repeated; until it has ended, no program opens the new database.
package dbcopy
