package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine describes the machine and the servers. It is the first line of the JSON output,
// and part of every page. Unknown fields are empty.
type Machine struct {
	Type      string `json:"type"` // always "machine"
	Date      string `json:"date"` // RFC 3339, UTC
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	MemoryMiB int64  `json:"memory_mib"`
	Platform  string `json:"platform"`
	Go        string `json:"go"`
	Baler     string `json:"baler"`
	Redis     string `json:"redis"`
	Database  string `json:"database"`
	Flush     string `json:"flush_log_at_trx_commit"` // 1: every commit waits for the disk
	Binlog    string `json:"log_bin"`
}

// Machine describes the machine and the servers.
func (p *Env) Machine(ctx context.Context) (m Machine, err error) {
	m = Machine{
		Type: "machine", Date: time.Now().UTC().Format(time.RFC3339), Cores: runtime.NumCPU(),
		Processor: field("/proc/cpuinfo", "model name"), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Baler: p.o.Version,
	}
	// Where there is no such file the scan leaves it at 0.
	_, _ = fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%d kB", &m.MemoryMiB)
	m.MemoryMiB /= 1024
	q, err := p.connectRedis()
	if err != nil {
		return m, fmt.Errorf("describe Redis: %w", err)
	}
	defer func() { err = joinClose(err, q.Close) }()
	if err := q.Ping(ctx); err != nil { // it says what to do
		return m, err
	}
	info, err := q.Info(ctx)
	if err != nil {
		return m, fmt.Errorf("describe Redis: %w", err)
	}
	m.Redis = info.Version
	address := p.databaseURL
	if p.mysql != nil {
		address = p.mysql.URL()
	}
	db, err := p.connect(address, 1)
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, db.Close) }()
	row := db.QueryRowContext(ctx, "SELECT CONCAT(@@version_comment, ' ', @@version), @@GLOBAL."+flushing+", @@log_bin")
	if err := row.Scan(&m.Database, &m.Flush, &m.Binlog); err != nil {
		return m, fmt.Errorf("describe the database: %w", err)
	}
	return m, nil
}

// field reads "name : value" from a file of the system. It is empty when the file is
// missing.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "" // another system
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
