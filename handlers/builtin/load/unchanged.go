package load

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/balerhq/baler/internal/tableload"
)

// sourceOf is a short name for a file and this plan. Another mapping or key gives another
// name, because the rows may differ.
func (l *Loader) sourceOf(path string) []byte {
	if path == "" {
		return nil
	}
	return tableload.Digest(append(append(l.identity, 0), path...))
}

func identityOf(p *Plan) ([]byte, error) {
	args := p.Args()
	args.Create = false // it does not change the rows
	identity, err := json.Marshal(args)
	return slices.Clip(identity), err // appended to by several goroutines
}

// earlierSections has the chunks of some content that other transfers have loaded, by
// offset.
type earlierSections map[int64]*tableload.EarlierSection

func (l *Loader) earlierSections(ctx context.Context, src *Input) (earlierSections, error) {
	if src.Path == "" {
		return earlierSections{}, nil
	}
	to := int64(math.MaxInt64)
	if src.Size > 0 {
		to = src.Offset + src.Size
	}
	chunks, err := l.table.EarlierSections(ctx, l.sourceOf(src.Path), src.Transfer, src.Offset, to)
	if err != nil {
		return nil, err
	}
	earlier := make(earlierSections, len(chunks))
	for i := range chunks {
		earlier[chunks[i].Offset-src.Offset] = &chunks[i]
	}
	return earlier, nil
}

// nextUnchanged fills a buffer with the next section if another transfer has loaded
// the same bytes at this offset.
func (s *sections) nextUnchanged(buffer []byte, earlier earlierSections) (sec section, ok bool) {
	e := earlier[s.at]
	if e == nil || e.Bytes == 0 || e.Bytes > int64(s.wanted+s.longest) {
		return section{data: buffer}, false
	}
	ahead := s.peek(e.Bytes + int64(len("\r\n")))
	if int64(len(ahead)) < e.Bytes || !bytes.Equal(tableload.Digest(ahead[:e.Bytes]), e.Digest) {
		return section{data: buffer}, false
	}
	end, ok := lineEnd(ahead, e.Bytes)
	if !ok {
		return section{data: buffer}, false
	}
	sec = section{at: s.at, line: s.line, data: append(buffer[:0], ahead[:end]...), size: end, earlier: e}
	s.rest = s.rest[end:]
	s.at += end
	s.line += int64(bytes.Count(sec.data, []byte{'\n'}))
	return sec, true
}

// lineEnd returns where the line ends that an earlier load ended at size. The two differ
// only if the line was the last one, had no line end, and the file has grown. It reports
// false when that line has become longer.
func lineEnd(ahead []byte, size int64) (int64, bool) {
	rest := ahead[size:]
	switch {
	case ahead[size-1] == '\n', len(rest) == 0:
		return size, true
	case rest[0] == '\n':
		return size + 1, true
	case string(rest) == "\r\n":
		return size + 2, true
	}
	return 0, false
}

// peek reads until the buffer has the next n bytes, or the stream ends, and returns them.
func (s *sections) peek(n int64) []byte {
	for int64(len(s.rest)) < n && s.err == nil {
		s.rest = s.read(s.rest)
	}
	return s.rest[:min(n, int64(len(s.rest)))]
}
