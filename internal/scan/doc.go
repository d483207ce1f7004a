// Package scan finds the files of a transfer: it walks sources in a stable order, reads
// lists of paths, and splits files of lines into chunks. It reads names, sizes and
// times, but no content, unless it splits a file.
package scan
