package tasks

import "time"

// File is one item of a transfer.
type File struct {
	No    int64     // 1… within the transfer; zero before it is registered
	Path  string    // absolute; any bytes but NUL, not always UTF-8
	Size  int64     // bytes, as the scan saw it
	MTime time.Time // modification time as the scan saw it; zero when unknown

	// Part is the number, from 1, of the chunk of a split file; 0 is the whole file.
	// A chunk is the Size bytes from Offset on. Its first line is line number Line
	// of the file, from 1.
	Part, Offset, Line int64

	// Emitted says what a handler made the file from; nil for a file from the sources.
	Emitted *Emission

	// ScanError is why the scan could not read the file, as "not-found: …"; the
	// text before the colon becomes the code of a failed result. It is empty when
	// the scan could read the file.
	ScanError string
}

// Emission says where a file comes from that a handler has emitted.
type Emission struct {
	Parent int64  // number of the file that it was made from
	Top    int64  // number of the file from the sources that it comes from in the end; Parent when Depth is 1
	Depth  int    // 1 when it was made from a file from the sources
	Step   int    // number of the step whose handler emitted it, from 1
	Name   string // within the parent, as people know it there; any bytes but NUL

	// Base is a folder above the path. Where a file from the sources is named by its path
	// relative to its source, this one is named by its path relative to Base.
	Base string
}
