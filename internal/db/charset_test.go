package db

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/testkit"
)

// hostileTexts end a literal early, or become other characters, where the server
// takes them for a character set that they are not written in: the last bytes of
// 縗 and 瀂 with a backslash are one character of gbk.
var hostileTexts = []string{
	"é", "日本 🙂", "縗',(select 1))-- ", "瀂'", "\\", "\\'", "''", "縗\\", "it's\x00", `c:\windows`, "plain", "ｿ'", "\u00bf'", "\u00bf\\", "?é", "",
}

// A server's own settings for new connections do not change what is stored: a
// character set that it forces, and one that init_connect sets for accounts
// without privileges.
func TestServersCharacterSet(t *testing.T) {
	t.Parallel()
	server := testkit.NewMySQLServer(t,
		"--character-set-server=gbk", "--loose-skip-character-set-client-handshake", "--init-connect=SET NAMES latin1, sql_mode = 'NO_BACKSLASH_ESCAPES'")
	admin := testkit.Database(t, server.URL())
	for _, statement := range []string{
		"CREATE USER plain IDENTIFIED BY 'plain'", "GRANT ALL ON baler.* TO plain",
		"CREATE TABLE texts (no INT PRIMARY KEY, a TEXT, b VARBINARY(200)) CHARACTER SET utf8mb4",
	} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := url.Parse(server.URL())
	testkit.Must(t, err)
	plain.User = url.UserPassword("plain", "plain")
	for name, address := range map[string]string{"forced": server.URL(), "init_connect": plain.String()} {
		d, err := Open(t.Context(), address, Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, d)
		for way, insert := range map[string]func([]textRow) error{
			"literals": func(rows []textRow) error {
				return BulkInsert(d.Session(t.Context()), "texts", textColumns(), rows, func(*textRow) int { return 100 })
			},
			"parameters": func(rows []textRow) error { return d.Session(t.Context()).Create(&rows).Error },
		} {
			rows := textRows()
			if err := insert(rows); err != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			checkStored(t, admin, name+", "+way, rows)
			var read []textRow
			if err := d.Session(t.Context()).Order("no").Find(&read).Error; err != nil {
				t.Fatal(err)
			}
			for i := range read {
				if read[i].A != rows[i].A || !bytes.Equal(read[i].B, rows[i].B) {
					t.Errorf("%s, %s: read %+q", name, way, read[i].A)
				}
			}
			if err := d.Session(t.Context()).Exec("DELETE FROM texts").Error; err != nil {
				t.Fatal(err)
			}
		}
	}
}

type textRow struct {
	No int64
	A  string
	B  []byte
}

// TableName names the table to GORM.
func (textRow) TableName() string { return "texts" }

func textRows() (rows []textRow) {
	for i, text := range hostileTexts {
		rows = append(rows, textRow{int64(i), text, append([]byte("\xff"), text...)})
	}
	return rows
}

func textColumns() []BulkColumn[textRow] {
	return []BulkColumn[textRow]{
		{Name: "no", Write: func(l Literals, r *textRow) Literals { return l.Number(r.No) }},
		{Name: "a", Write: func(l Literals, r *textRow) Literals { return l.Text(r.A) }},
		{Name: "b", Write: func(l Literals, r *textRow) Literals { return l.Binary(r.B) }},
	}
}

func checkStored(t *testing.T, admin *sql.DB, name string, rows []textRow) {
	t.Helper()
	stored, err := admin.QueryContext(t.Context(), "SELECT no, HEX(a), HEX(b) FROM texts ORDER BY no")
	testkit.Must(t, err)
	defer func() { testkit.Must(t, stored.Close()) }()
	n := 0
	for ; stored.Next(); n++ {
		var no int
		var a, b string
		testkit.Must(t, stored.Scan(&no, &a, &b))
		if a != upperHex(rows[no].A) || b != upperHex(string(rows[no].B)) {
			t.Errorf("%s: stored %s and %s of %+q", name, a, b, rows[no].A)
		}
	}
	testkit.Must(t, stored.Err())
	if n != len(rows) {
		t.Errorf("%s: %d rows stored, want %d", name, n, len(rows))
	}
}

func upperHex(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }

// unwilling is a way to a server that answers OK to some statement and does not
// pass it on, as a proxy may.
type unwilling struct {
	driver.Connector

	drops, instead string
}

func (u unwilling) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := u.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able := conn.(driverConn)
	if _, err := able.ExecContext(ctx, u.instead, nil); err != nil {
		return nil, err
	}
	return unwillingConn{able, u.drops}, nil
}

type unwillingConn struct {
	driverConn

	drops string
}

func (c unwillingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.Contains(query, c.drops) {
		return driver.ResultNoRows, nil
	}
	return c.driverConn.ExecContext(ctx, query, args)
}

func TestConnectionThatIsNotSetUpIsRefused(t *testing.T) {
	t.Parallel()
	target, err := parseURL(testkit.MySQL(t))
	testkit.Must(t, err)
	connector, err := mysql.NewConnector(target.mysql)
	testkit.Must(t, err)
	for _, c := range []struct{ drops, instead, told string }{
		{"nothing", "DO 0", ""},
		{"NAMES", "SET NAMES gbk", `character_set_client is "gbk"`},
		{"NAMES", "SET NAMES utf8mb4 COLLATE utf8mb4_bin", `collation_connection is "utf8mb4_bin"`},
		{"sql_mode", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "sql_mode still has NO_BACKSLASH_ESCAPES"},
		{"sql_mode", "SET sql_mode = ''", "sql_mode lacks STRICT_ALL_TABLES"},
	} {
		conn, err := session{Connector: unwilling{connector, c.drops, c.instead}, collation: defaultCollation, kind: new(serverKind)}.Connect(t.Context())
		if err == nil {
			testkit.Must(t, conn.Close())
		}
		switch {
		case c.told == "" && err != nil:
			t.Errorf("refused without a reason: %v", err)
		case c.told != "" && (!errors.Is(err, ErrSession) || !strings.Contains(err.Error(), c.told)):
			t.Errorf("%s after %q: %v", c.drops, c.instead, err)
		}
	}
}

// FuzzLiteralsOnServer asks a server what it reads in the place of a literal, in
// sessions of many character sets and modes, where text in quotes would end early
// or become other text. In utf8mb4, the driver's own parameters are the measure.
func FuzzLiteralsOnServer(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add([]byte(text))
		f.Add(append([]byte("\xff"), text...))
	}
	u, err := url.Parse(testkit.MySQL(f))
	testkit.Must(f, err)
	sessions := make(map[string]*sql.Conn)
	for _, charset := range []string{"utf8mb4", "latin1", "gbk", "gb2312", "big5", "sjis", "cp932", "ujis", "eucjpms", "euckr", "cp1256"} {
		for _, mode := range []string{"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT", sqlMode} {
			u.RawQuery = "interpolateParams=true"
			conn, err := testkit.Database(f, u.String()).Conn(f.Context())
			testkit.Must(f, err)
			testkit.CloseAtEnd(f, conn)
			for _, set := range []string{"SET NAMES " + charset, "SET sql_mode = '" + mode + "'"} {
				_, err := conn.ExecContext(f.Context(), set)
				testkit.Must(f, err)
			}
			sessions[charset+" "+mode] = conn
		}
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		binary, text := Literals(nil).Binary(bytes), Literals(nil).Text(string(bytes))
		if !utf8.Valid(bytes) {
			text = Literals(nil).Text("")
		}
		for name, conn := range sessions {
			var gotBinary, gotText string
			query := fmt.Sprintf("SELECT HEX(CAST(%s AS BINARY)), HEX(CONVERT(%s USING utf8mb4))", binary, text)
			if err := conn.QueryRowContext(t.Context(), query).Scan(&gotBinary, &gotText); err != nil {
				t.Fatalf("%s: %s: %v", name, query, err)
			}
			if gotBinary != upperHex(string(bytes)) || utf8.Valid(bytes) && gotText != gotBinary {
				t.Errorf("%s: the server reads %s and %s in %s", name, gotBinary, gotText, query)
			}
			if !strings.HasPrefix(name, "utf8mb4") || !utf8.Valid(bytes) {
				continue
			}
			var sent string
			if err := conn.QueryRowContext(t.Context(), "SELECT HEX(?)", string(bytes)).Scan(&sent); err != nil {
				t.Fatal(err)
			}
			if sent != gotText {
				t.Errorf("%s: the server reads %s in %s, and %s in the driver's parameter", name, gotText, query, sent)
			}
		}
	})
}
