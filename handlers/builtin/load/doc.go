// Package load loads JSON lines into a table of a database.
//
// A Loader reads the content of one file, or of one chunk of a split file, in
// sections of whole lines. It parses each line once and takes the values of the
// mapped columns as they are written; no number passes through a float. It writes
// a section in one transaction together with a marker, so that a file that is read
// again after a crash loads nothing twice. Lines that are not JSON, or that do not
// fit the table, are recorded as rejected lines with their number and the reason.
package load
