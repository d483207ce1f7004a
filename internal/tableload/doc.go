// Package tableload writes rows in bulk into tables that are not Baler's own, and
// notes with them, in the same transaction, what was loaded and which lines were
// rejected.
package tableload
