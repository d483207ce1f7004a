// Package tableload writes rows in bulk into users' tables. The same transaction records
// which section was loaded and which lines were rejected.
package tableload
