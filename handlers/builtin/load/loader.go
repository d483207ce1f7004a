package load

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// ErrChanged means that the content has changed since some of it was loaded.
var ErrChanged = errors.New("the content has changed since it was loaded in part")

// Loader loads content into one table. Make one with NewLoader; it is safe for
// concurrent use.
type Loader struct {
	tables  *tableload.Store
	table   *tableload.Table
	kinds   []tableload.ColumnType
	strings map[int]bool // see mapper
	wanted  *place
	whole   bool
	byName  bool // columns get the members of their names; other members are counted
	keyword []byte
	memory  *MemoryBudget

	identity []byte // of the plan
}

// NewLoader prepares loading by a plan. It creates a missing table if the plan allows it.
// m may be nil.
func NewLoader(ctx context.Context, s *tableload.Store, p *Plan, m *MemoryBudget) (*Loader, error) {
	fields, table, err := p.open(ctx, s)
	if err != nil {
		return nil, err
	}
	identity, err := identityOf(p)
	if err != nil {
		return nil, err
	}
	l := &Loader{identity: identity, tables: s, table: table, wanted: newPlaces(pathsOf(fields)), keyword: []byte(p.LineContains), memory: m}
	if m == nil {
		l.memory = &MemoryBudget{}
	}
	l.byName = len(p.Map) == 0 && p.LineColumn == ""
	l.whole = !slices.ContainsFunc(fields, func(f Mapping) bool { return len(f.Path) > 0 })
	columns := l.table.Columns()
	l.kinds = make([]tableload.ColumnType, len(fields))
	l.strings = make(map[int]bool)
	for i, f := range fields {
		l.kinds[i] = kindInto(f.Kind, columns[i].Kind)
		l.strings[i] = f.Kind == tableload.ColumnText && l.kinds[i] != f.Kind
	}
	return l, nil
}

// Prepare creates a missing table if the plan allows it, and checks that the table has the
// columns and the key of the plan.
func (p *Plan) Prepare(ctx context.Context, s *tableload.Store) error {
	_, _, err := p.open(ctx, s)
	return err
}

func (p *Plan) open(ctx context.Context, s *tableload.Store) ([]Mapping, *tableload.Table, error) {
	if _, err := s.ForgetEmptied(ctx, p.Into); err != nil {
		return nil, nil, err
	}
	if p.Create {
		if err := p.create(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	fields, err := p.fields(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Column
	}
	table, err := s.Table(ctx, p.Into, names, p.Key, p.OnDuplicate)
	return fields, table, err
}

// Input identifies the file, or the chunk of a file, that content belongs to.
type Input struct {
	Transfer int64
	Step     int
	File     int64
	Line     int64 // number of the content's first line; 0 means 1
	Abreast  int   // number of sections that are loaded at the same time; 0 means 1

	Path   string // of the file, so that another transfer recognizes loaded lines; empty: none does
	Offset int64  // where in the file's content this content begins
	Size   int64  // bytes of this content; 0: up to the end

	// Observe is called with the counts of each section that this call has loaded, by
	// several goroutines; it may be nil.
	Observe func(tasks.LoadCounts)
}

// Load loads the content that is not in the table yet, and returns the counts of all
// of its lines, including those that were loaded before. When the content is damaged,
// the lines before the damage are loaded, and the error says what is wrong.
func (l *Loader) Load(ctx context.Context, src Input, content io.Reader) (tasks.LoadCounts, error) {
	src.Line = max(src.Line, 1)
	loaded, err := l.tables.LoadedSections(ctx, src.Transfer, src.Step, src.File)
	if err != nil {
		return tasks.LoadCounts{}, err
	}
	earlier, err := l.earlierSections(ctx, &src)
	if err != nil {
		return tasks.LoadCounts{}, err
	}
	var total tally
	sections := newSections(content, src.Line)
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(max(src.Abreast, 1))
	for err == nil && working.Err() == nil {
		if len(loaded) > 0 && loaded[0].At <= sections.at {
			err = skipLoaded(sections, &loaded[0])
			total.add(loaded[0].LoadCounts)
			loaded = loaded[1:]
			continue
		}
		b := l.takeBuffers()
		var unchanged bool
		if b.section, unchanged = sections.nextUnchanged(b.buffer, earlier); !unchanged {
			b.section, err = sections.next(b.section.data)
		}
		if err != nil {
			l.memory.free.Put(b)
			break
		}
		b.section.newest = earlier[b.section.at]
		group.Go(func() error {
			defer l.memory.free.Put(b)
			b.buffer = b.section.data
			counts, err := l.loadSection(working, &src, b)
			total.add(counts)
			return err
		})
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, ErrCompressed) {
		err = nil
	}
	if failed := group.Wait(); failed != nil {
		err = failed
	}
	return total.sum(), cmp.Or(err, ctx.Err())
}

// skipLoaded skips a section that is loaded.
func skipLoaded(s *sections, loaded *tableload.LoadedSection) error {
	if loaded.At < s.at {
		return fmt.Errorf("%w: the loaded sections begin at other offsets", ErrChanged)
	}
	return s.skip(loaded.Bytes, loaded.Lines)
}

// loadSection loads one section.
func (l *Loader) loadSection(ctx context.Context, src *Input, b *buffers) (tasks.LoadCounts, error) {
	for {
		counts, err := l.tryToLoad(ctx, src, b)
		meanwhile, ok := errors.AsType[*tableload.MeanwhileError](err)
		if !ok {
			return counts, err
		}
		e := meanwhile.Newest
		if e != nil && (e.Bytes != int64(len(b.section.data)) || !bytes.Equal(e.Digest, tableload.Digest(b.section.data))) {
			return counts, err // another attempt reads the present content of the file
		}
		b.section.earlier, b.section.newest = e, e
		l.prepare(b)
	}
}

// tryToLoad loads a section unless another transfer has done so since it was read.
func (l *Loader) tryToLoad(ctx context.Context, src *Input, b *buffers) (tasks.LoadCounts, error) {
	sec := tableload.Section{
		Transfer: src.Transfer, Step: src.Step, File: src.File, Offset: b.section.at, Bytes: b.section.size, Rows: &b.rows,
		ContentOffset: src.Offset + b.section.at, Line: b.section.line, Earlier: b.section.newest,
	}
	if b.section.tooLong {
		sec.Lines = 1
		reject := tableload.NewRejectedLine(b.section.line, tooLong(b.section.size).Error(), b.section.data)
		reject.Size = b.section.size
		sec.Rejects = []tasks.RejectedLine{reject}
	} else if err := l.addLines(ctx, src, b, &sec); err != nil {
		return tasks.LoadCounts{}, err
	}
	counts, err := l.table.Load(ctx, &sec)
	failpoint.Point(failpoint.SectionLoaded)
	if errors.Is(err, tableload.ErrSectionLoaded) {
		return l.loadedCounts(ctx, &sec)
	}
	if err == nil && src.Observe != nil {
		src.Observe(counts)
	}
	return counts, err
}

// addLines makes rows of the lines of a section. If another transfer has loaded the
// section, it makes rows only of the lines that were rejected then.
func (l *Loader) addLines(ctx context.Context, src *Input, b *buffers, sec *tableload.Section) error {
	sec.Source = l.sourceOf(src.Path)
	if sec.Source != nil {
		sec.Digest = tableload.Digest(b.section.data)
	}
	again := func(int64) bool { return true }
	if b.section.earlier != nil {
		rejected, err := l.tables.RejectedIn(ctx, b.section.earlier)
		if err != nil {
			return err
		}
		again = func(line int64) bool { return rejected[line-b.section.line] }
	}
	b.mapper.addSection(sec, &b.section, again)
	return nil
}

// loadedCounts reads the counts of a section that another worker has just loaded.
func (l *Loader) loadedCounts(ctx context.Context, sec *tableload.Section) (tasks.LoadCounts, error) {
	loaded, err := l.tables.LoadedSections(ctx, sec.Transfer, sec.Step, sec.File)
	if err != nil {
		return tasks.LoadCounts{}, err
	}
	for i := range loaded {
		if loaded[i].At == sec.Offset && loaded[i].Bytes == sec.Bytes {
			return loaded[i].LoadCounts, nil
		}
	}
	return tasks.LoadCounts{}, fmt.Errorf("%w with other bounds; the file will be read again", tableload.ErrSectionLoaded)
}

// tally adds up counts from several goroutines.
type tally struct {
	mu     sync.Mutex
	counts tasks.LoadCounts
}

func (t *tally) add(c tasks.LoadCounts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Add(c)
}

func (t *tally) sum() tasks.LoadCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}
