package bagit

import (
	"context"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/ctxio"
)

// checkComplete compares the files of the bag with the manifests.
func (b *bag) checkComplete() {
	if !b.payloadThere {
		b.wrongf(payloadFolder, "the folder of the payload does not exist")
	}
	for file := range b.expected {
		switch {
		case b.has(file):
		case b.fetched[file]:
			b.wrongf(file, "is missing: it is to be fetched (fetch.txt)")
		default:
			b.wrongf(file, "is missing, but a manifest lists it")
		}
	}
	for file := range b.payload {
		e := b.expected[file]
		if e == nil {
			b.wrongf(file, "is in no manifest")
			continue
		}
		for _, algorithm := range b.report.Algorithms {
			if _, ok := e.digests[algorithm]; ok {
				continue
			}
			note := b.oddf
			if b.version.v1() { // RFC 8493, section 2.1.3
				note = b.wrongf
			}
			note(file, "is not in manifest-%s.txt", algorithm)
		}
	}
	for file := range b.fetched {
		if b.expected[file] == nil {
			b.wrongf(fetchFile, "%q is in no manifest", file)
		}
	}
}

// checkDigests reads every file that a manifest lists.
func (b *bag) checkDigests(ctx context.Context, opts Options) error {
	var there []string
	for _, file := range slices.Sorted(maps.Keys(b.expected)) {
		if b.has(file) {
			there = append(there, file)
		}
	}
	var files, bytes int64
	return b.root.each(ctx, there, opts.Parallel, func(file string, open opener) error {
		n, err := b.checkFile(ctx, file, open)
		if opts.OnProgress != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			files, bytes = files+1, bytes+n
			opts.OnProgress(files, bytes)
		}
		return err
	})
}

// checkFile compares a file with its digests. It returns an error only when ctx ends.
func (b *bag) checkFile(ctx context.Context, file string, open opener) (int64, error) {
	known, want := algorithms(), b.expected[file].digests
	digests := map[string]hash.Hash{}
	writers := make([]io.Writer, 0, len(want))
	for algorithm := range want {
		digests[algorithm] = known[algorithm]()
		writers = append(writers, digests[algorithm])
	}
	f, err := open()
	if err != nil {
		b.wrongf(file, "cannot be read: %v", err)
		return 0, ctx.Err()
	}
	defer f.Close() // only read from
	n, err := io.CopyBuffer(io.MultiWriter(writers...), ctxio.NewReader(ctx, f), make([]byte, 256<<10))
	if ctx.Err() != nil {
		return n, ctx.Err()
	}
	if err != nil {
		b.wrongf(file, "cannot be read: %v", err)
		return n, nil
	}
	var differ []string
	for _, algorithm := range slices.Sorted(maps.Keys(want)) {
		if got := hex.EncodeToString(digests[algorithm].Sum(nil)); got != want[algorithm] {
			differ = append(differ, algorithm+" is "+got+", the manifest says "+want[algorithm])
		}
	}
	if differ != nil {
		b.wrongf(file, "%s", strings.Join(differ, "; "))
	}
	return n, nil
}
