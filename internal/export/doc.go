// Package export writes a transfer with all of its files and results as JSON lines, CSV or
// Parquet, and reads the JSON lines again. It holds a page in memory at a time.
//
// JSON lines have the whole transfer: one line with what it is, one for each file, one for each
// result, and a last one with how many there were and a digest of all lines before it. A file
// without that line is not complete. Two exports of the same transfer, also of two databases,
// have the same digest.
//
// CSV and Parquet have one row for each result.
package export
