package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// record is what a line of the measured file has for the table: somebody saw
// the certificate of a domain.
type record struct {
	ID          int64       `json:"id"`
	Domain      string      `json:"domain"`
	SeenAt      time.Time   `json:"seen_at"` // in UTC
	Address     string      `json:"address"`
	Country     string      `json:"country"`
	ASN         int64       `json:"asn"`
	Score       float64     `json:"score"`
	Secure      bool        `json:"secure"`
	Certificate certificate `json:"certificate"`
	Note        string      `json:"note"`
}

type certificate struct {
	Issuer string `json:"issuer"`
}

// line is a line of the file: beside the record it has members that are not loaded.
type line struct {
	Kind string `json:"kind"`
	record

	Serial string            `json:"serial"`
	Agent  string            `json:"agent"`
	Labels map[string]string `json:"labels"`
}

// Lines of another kind than the keyword says are passed over before they are
// parsed: one after every few that are loaded.
const (
	keyword        = `"kind":"observation"`
	observation    = "observation"
	heartbeat      = "heartbeat"
	heartbeatAfter = 7
)

// The table that records go into, and its columns in the order of appendRow.
const (
	recordTable   = "baler_bench_records"
	recordColumns = "id, domain, seen_at, address, country, asn, score, secure, issuer, note"
	createRecords = "CREATE TABLE " + recordTable + ` (
		id BIGINT PRIMARY KEY, domain VARCHAR(255) NOT NULL, seen_at DATETIME(6) NOT NULL, address VARCHAR(45) NOT NULL,
		country CHAR(2) NOT NULL, asn BIGINT NOT NULL, score DOUBLE NOT NULL, secure BOOLEAN NOT NULL,
		issuer VARCHAR(100) NOT NULL, note VARCHAR(255) NOT NULL
	) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`
	intoRecords = "INSERT INTO " + recordTable + " (" + recordColumns
)

// recordMap is the mapping of the load command for the same columns.
func recordMap() []string {
	return []string{
		"id", "domain", "seen_at=seen_at:time", "address", "country", "asn", "score", "secure", "issuer=certificate.issuer", "note",
	}
}

// dice gives the same numbers for the same seed, well mixed (splitmix64).
type dice uint64

func (d *dice) roll(sides int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(sides))
}

func (d *dice) word() string {
	words := [...]string{
		"harbor", "lantern", "meadow", "copper", "saddle", "violet", "anchor", "timber",
		"marble", "falcon", "ember", "willow", "granite", "orchard", "pepper", "quartz",
	}
	return words[d.roll(len(words))]
}

// recordOf is the i-th record, from 0; always the same.
func recordOf(i int64) (record, dice) {
	d := dice(i)
	countries, issuers := [...]string{"DE", "FR", "US", "JP", "BR", "ZA"}, [...]string{"Open Trust R3", "Harbour CA 1", "Sämann & Söhne"}
	r := record{
		ID: i + 1, Domain: d.word() + "-" + d.word() + "-" + strconv.Itoa(d.roll(10_000)) + ".example",
		SeenAt:  time.Unix(1_456_790_400+i, int64(d.roll(1000))*int64(time.Millisecond)).UTC(),
		Address: fmt.Sprintf("198.51.%d.%d", d.roll(256), d.roll(256)), Country: countries[d.roll(len(countries))],
		ASN: int64(64_512 + d.roll(1000)), Score: float64(d.roll(10_000)) / 10_000, Secure: d.roll(4) > 0,
		Certificate: certificate{Issuer: issuers[d.roll(len(issuers))]},
	}
	r.Note = d.word() + " " + d.word() + " near the " + d.word()
	if d.roll(10) == 0 {
		r.Note = `it's said to be a "` + r.Note + `" \o/`
	}
	return r, d
}

// lineOf is the i-th line that is loaded, or the one of another kind after it.
func lineOf(i int64, kind string) line {
	r, d := recordOf(i)
	l := line{Kind: kind, record: r}
	l.Agent = fmt.Sprintf("Mozilla/5.0 (compatible; watch/2.%d; +https://watch.example/about)", d.roll(10))
	l.Serial = fmt.Sprintf("%016x%016x", d.roll(1<<62), d.roll(1<<62))
	l.Labels = map[string]string{"source": d.word(), "batch": strconv.Itoa(d.roll(100_000))}
	return l
}

// writeRecords writes a file of so many records, and tells how large it is.
func writeRecords(ctx context.Context, path string, records int) (size int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("write records: %w", err)
	}
	defer func() { err = joinClose(err, f.Close) }()
	w := bufio.NewWriterSize(f, 1<<20)
	e := json.NewEncoder(w)
	for i := range int64(records) {
		if err := e.Encode(lineOf(i, observation)); err != nil {
			return 0, fmt.Errorf("write records: %w", err)
		}
		if i%heartbeatAfter == heartbeatAfter-1 {
			err = e.Encode(lineOf(i, heartbeat))
		}
		if err != nil || ctx.Err() != nil {
			return 0, fmt.Errorf("write records: %w", errors.Join(err, ctx.Err()))
		}
	}
	if err := w.Flush(); err != nil {
		return 0, fmt.Errorf("write records: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("write records: %w", err)
	}
	return info.Size(), nil
}

// record adds a row.
func (i *inserter) record(r *record) {
	i.numbers(r.ID)
	i.string(r.Domain)
	i.text = r.SeenAt.AppendFormat(append(i.text, ','), "'2006-01-02 15:04:05.000000'")
	i.string(r.Address)
	i.string(r.Country)
	i.text = strconv.AppendInt(append(i.text, ','), r.ASN, 10)
	i.text = strconv.AppendFloat(append(i.text, ','), r.Score, 'g', -1, 64)
	i.text = strconv.AppendBool(append(i.text, ','), r.Secure)
	i.string(r.Certificate.Issuer)
	i.string(r.Note)
	i.text = append(i.text, ')')
}

// string adds a value that is not the first of its row.
func (i *inserter) string(s string) {
	i.text = append(i.text, ",'"...)
	for _, c := range []byte(s) {
		if c == '\'' || c == '\\' {
			i.text = append(i.text, '\\')
		}
		i.text = append(i.text, c)
	}
	i.text = append(i.text, '\'')
}
