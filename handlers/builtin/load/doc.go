// Package load brings JSON lines into a table of a database.
//
// A Loader reads the content of one file, or of a part of one, in sections of
// whole lines. Of each line it parses only once, it takes the values of the
// mapping's columns, as they are written: nothing passes through a float. A
// section goes into the table in one transaction with a marker, so that a file
// that is read again, after whatever died, loads nothing twice. Lines that are
// no JSON, or do not fit the table, are set aside with number and reason.
//
// The package knows no queue and no jobs: package handlers does.
package load
