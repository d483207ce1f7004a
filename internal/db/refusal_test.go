package db

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/testkit"
)

// The error names the reason why a server refuses writes or connections. No table is left
// on which a later migration would fail.
func TestServerThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	server := testkit.NewMySQLServer(t, "--log-bin=bin", "--server-id=1", "--binlog-format=MIXED")
	admin := testkit.Database(t, server.URL())
	do := func(statement string) {
		t.Helper()
		_, err := admin.ExecContext(t.Context(), statement)
		testkit.Must(t, err)
	}
	readOnly := testkit.ReadOnlyVariable(t, server.URL())
	do("CREATE USER plain IDENTIFIED BY 'plain'") // other accounts may write all the same
	do("GRANT ALL ON baler.* TO plain")
	plain, err := url.Parse(server.URL())
	testkit.Must(t, err)
	plain.User = url.UserPassword("plain", "plain")
	migrate := func() error {
		d, err := Open(t.Context(), plain.String(), Options{})
		if err != nil {
			return err
		}
		_, err = d.Migrate(t.Context())
		return errors.Join(err, d.Close())
	}
	try := func() error {
		d, err := Open(t.Context(), plain.String(), Options{})
		if err != nil {
			return err
		}
		return errors.Join(d.TryMigrate(t.Context()), d.Close())
	}
	for _, c := range []struct {
		set, reset string
		want       error // nil: none of its own
		told       string
	}{
		{"read_only = 1", "read_only = 0", ErrReadOnly, "--read-only option"},
		{readOnly + " = 1", readOnly + " = 0", ErrReadOnly, "READ ONLY transaction"},
		{"binlog_format = STATEMENT", "binlog_format = MIXED", ErrBinlogFormat, "binlog_format is STATEMENT"},
		{"init_connect = 'SET no_such_variable = 1'", "init_connect = ''", nil, "init_connect command failed"},
	} {
		do("SET GLOBAL " + c.set)
		failures := map[string]error{"migrate": migrate(), "try": try()}
		do("SET GLOBAL " + c.reset)
		for way, err := range failures {
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.told) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %s: %v", c.set, way, err)
			}
		}
	}
	var tables int
	testkit.Must(t, admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'baler'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were made", tables)
	}
	testkit.Must(t, try())
	testkit.Must(t, migrate())
	testkit.Must(t, try())
}

// Settings of a server for new connections do not hide rows, leave them uncommitted, skip
// checks, refuse statements or end connections.
func TestServersSettingsForNewConnections(t *testing.T) {
	t.Parallel()
	target, err := parseURL(testkit.MySQL(t))
	testkit.Must(t, err)
	connector, err := mysql.NewConnector(target.mysql)
	testkit.Must(t, err)
	hostile := unwilling{connector, "nothing", `SET autocommit = 0, sql_select_limit = 1, sql_safe_updates = 1, max_join_size = 1,
		completion_type = 'RELEASE', default_storage_engine = MyISAM, foreign_key_checks = 0, unique_checks = 0, sql_auto_is_null = 1
		/*M! , check_constraint_checks = 0, max_statement_time = 0.000001 */ /*!50708 , max_execution_time = 1 */`}
	open := func() *sql.DB {
		db := sql.OpenDB(session{Connector: hostile, collation: defaultCollation, kind: new(serverKind)})
		testkit.CloseAtEnd(t, db)
		return db
	}
	db := open()
	do := func(statement string) error {
		_, err := db.ExecContext(t.Context(), statement)
		return err
	}
	testkit.Must(t, do("CREATE TABLE parts (no INT PRIMARY KEY, n INT CHECK (n > 0))"))
	tx, err := db.BeginTx(t.Context(), nil)
	testkit.Must(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO parts VALUES (1, 1), (2, 1)")
	testkit.Must(t, err)
	testkit.Must(t, tx.Commit())
	testkit.Must(t, do("INSERT INTO parts VALUES (3, 1)"))
	if err := do("INSERT INTO parts VALUES (4, -1)"); !IsRejected(err) {
		t.Errorf("a row that fails a check: %v", err)
	}
	testkit.Must(t, do("UPDATE parts SET n = 2 WHERE n = 1"))
	rows, err := open().QueryContext(t.Context(), "SELECT a.n FROM parts a, parts b WHERE a.no = b.no")
	testkit.Must(t, err)
	defer func() { testkit.Must(t, rows.Close()) }()
	var read []int
	for rows.Next() {
		read = append(read, 0)
		testkit.Must(t, rows.Scan(&read[len(read)-1]))
	}
	testkit.Must(t, rows.Err())
	if !slices.Equal(read, []int{2, 2, 2}) {
		t.Errorf("another connection reads %v", read)
	}
	var engine string
	testkit.Must(t, db.QueryRowContext(t.Context(),
		"SELECT engine FROM information_schema.tables WHERE table_name = 'parts' AND table_schema = DATABASE()").Scan(&engine))
	if engine != "InnoDB" {
		t.Errorf("the table has no transactions: its engine is %s", engine)
	}
}

// After a failover, the connections of the old primary are of no use: the next
// attempt has another.
func TestConnectionToAReadOnlyServerIsReplaced(t *testing.T) {
	t.Parallel()
	address := testkit.MySQL(t)
	d, err := Open(t.Context(), address+"?"+testkit.ReadOnlyVariable(t, address)+"=1", Options{MaxConnections: 1})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	connection := func() (id int64) {
		t.Helper()
		testkit.Must(t, d.Session(t.Context()).Raw("SELECT CONNECTION_ID()").Scan(&id).Error)
		return id
	}
	before := connection()
	if same := connection(); same != before {
		t.Fatalf("connection %d was replaced by %d without a reason", before, same)
	}
	err = d.Session(t.Context()).Exec("CREATE TABLE t (i INT)").Error
	if !errors.Is(err, ErrReadOnly) || !IsTransient(err) || !IsOutage(err) {
		t.Errorf("the error is %v", err)
	}
	if after := connection(); after == before {
		t.Error("the connection is still in use")
	}
}

func TestErrorsOfConnecting(t *testing.T) {
	t.Parallel()
	given, err := url.Parse(testkit.MySQL(t))
	testkit.Must(t, err)
	for change, c := range map[string]struct {
		edit func(u *url.URL)
		told []string
	}{
		"password": {func(u *url.URL) { u.User = url.UserPassword("nobody", "hush") }, []string{"refuses the connection", "set the user and the password"}},
		"name":     {func(u *url.URL) { u.Path = "/no_such_database" }, []string{"refuses the connection", "create it"}},
		"port":     {func(u *url.URL) { u.Host = "127.0.0.1:1" }, []string{"does not answer", "start the database"}},
	} {
		u := *given
		c.edit(&u)
		d, err := Open(t.Context(), u.String(), Options{})
		if err == nil {
			testkit.Must(t, d.Close())
			t.Errorf("%s: connected", change)
			continue
		}
		for _, told := range c.told {
			if !strings.Contains(err.Error(), told) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s: %v", change, err)
			}
		}
	}
}

// A server without space is out of order until it has some: writes wait as during an outage.
func TestServerWithoutSpace(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), testkit.MySQL(t), Options{MaxConnections: 1})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	s := d.Session(t.Context())
	testkit.Must(t, s.Exec("SET SESSION max_heap_table_size = 16384").Error)
	testkit.Must(t, s.Exec("CREATE TABLE full (s VARCHAR(1000)) ENGINE = MEMORY").Error)
	for err == nil {
		err = s.Exec("INSERT INTO full VALUES (REPEAT('x', 1000))").Error
	}
	if !errors.Is(err, ErrNoSpace) || !IsOutage(err) || IsTransient(err) || IsRejected(err) || !strings.Contains(err.Error(), "free space") {
		t.Errorf("a full table: %v", err)
	}
	for number, want := range map[int]bool{3: true, 20: true, 1021: true, 1026: true, 1878: true, 1054: false, 1406: false} {
		err := s.Exec(fmt.Sprintf("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d", number)).Error
		if err == nil || errors.Is(err, ErrNoSpace) != want || IsOutage(err) != want {
			t.Errorf("error %d: %v", number, err)
		}
	}
	for message, want := range map[string]bool{
		`Got error 28 "No space left on device" from storage engine InnoDB`: true,
		`Got error 175 "File too short" from storage engine Aria`:           false,
	} {
		if err := s.Exec("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1030, MESSAGE_TEXT = ?", message).Error; errors.Is(err, ErrNoSpace) != want {
			t.Errorf("%s: %v", message, err)
		}
	}
}
