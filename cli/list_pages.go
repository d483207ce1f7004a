package cli

import (
	"context"
	"fmt"
	"iter"
	"path"
	"time"
)

const (
	listPage      = 2000        // paths of a request
	listPageEvery = time.Second // a list may come slowly, and its files need not wait
	longestPath   = 4096        // bytes: what the server takes
)

// listedPath is a path of a list, or the error that ends it.
type listedPath struct {
	path string
	err  error
}

// pages yields the paths of a list in pages: a page is full, or a second old, or the last.
func pages(ctx context.Context, list iter.Seq2[string, error]) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		lines := make(chan listedPath, listPage)
		go readList(ctx, list, lines) // it may hang in its last read, and ends with the process then
		for {
			page, more, err := nextPage(ctx, lines)
			if len(page) > 0 && !yield(page, nil) {
				return
			}
			if err != nil {
				yield(nil, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// nextPage gathers a page. more is false after the last one; paths before an error are in it.
func nextPage(ctx context.Context, lines <-chan listedPath) (page []string, more bool, err error) {
	var old <-chan time.Time // nothing waits before the first path
	for len(page) < listPage {
		select {
		case line, open := <-lines:
			if !open || line.err != nil {
				return page, false, line.err
			}
			if page = append(page, line.path); len(page) == 1 {
				old = time.After(listPageEvery)
			}
		case <-old:
			return page, true, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	return page, true, nil
}

// readList checks paths and sends them until the list or ctx ends.
func readList(ctx context.Context, list iter.Seq2[string, error], to chan<- listedPath) {
	defer close(to)
	n := 0
	for name, err := range list {
		if n++; err == nil {
			err = checkListed(name, n)
		}
		select {
		case to <- listedPath{name, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func checkListed(name string, n int) error {
	switch {
	case !path.IsAbs(name):
		return fmt.Errorf("path %d, %s, is not absolute: the paths are those of the server", n, quoted(name))
	case len(name) > longestPath:
		return fmt.Errorf("path %d has %d bytes; a server takes %d at most", n, len(name), longestPath)
	}
	return nil
}
