package db

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// Repeated is Session for a long query that is run many times with the same text. SQLite
// then reads the text once for each connection; MySQL gets text as always. Statements are
// kept until Close: use it for few texts.
func (d *DB) Repeated(ctx context.Context) *gorm.DB {
	s := d.Session(ctx)
	if d = d.reader(ctx); d.dialect == SQLite {
		s.Statement.ConnPool = &d.repeated
	}
	return s
}

// preparedQueries runs each query by a statement that it keeps. GORM's own cache of
// statements has a goroutine that never ends.
type preparedQueries struct {
	gorm.ConnPool

	mu     sync.Mutex
	byText map[string]*sql.Stmt // they end with the connections
}

// QueryContext implements gorm.ConnPool.
func (p *preparedQueries) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	prepared, err := p.prepare(ctx, text) //nolint:sqlclosecheck // it is kept for the next query
	if err != nil {
		return nil, err
	}
	return prepared.QueryContext(ctx, args...)
}

func (p *preparedQueries) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if prepared := p.byText[text]; prepared != nil {
		return prepared, nil
	}
	prepared, err := p.PrepareContext(ctx, text) //nolint:sqlclosecheck // it is kept for the next query
	if err != nil {
		return nil, err
	}
	if p.byText == nil {
		p.byText = make(map[string]*sql.Stmt)
	}
	p.byText[text] = prepared
	return prepared, nil
}
