package testservers

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// The account of every temporary MySQL server, which has all privileges, and its
// database.
const (
	account  = "baler"
	password = "baler"
	database = "baler"
)

// initSQL runs at each start of the server, before it accepts connections.
const initSQL = `CREATE USER IF NOT EXISTS '` + account + `'@'%' IDENTIFIED BY '` + password + `';
GRANT ALL PRIVILEGES ON *.* TO '` + account + `'@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS ` + database + ` CHARACTER SET utf8mb4;
`

// StartMySQL runs MariaDB, or MySQL when MariaDB is not installed, with the
// durability of production: committed transactions survive a Kill. args are
// appended to the arguments; the last of equal ones applies.
func StartMySQL(ctx context.Context, args ...string) (*Server, error) {
	binary, err := MySQLBinary()
	if err != nil {
		return nil, err
	}
	return start(ctx, &mysqlServer{binary: binary, args: args})
}

// StartMySQLInMemory runs a server like StartMySQL with its data in memory, where there is
// room, so that it survives a Kill and is lost with the host. Each test makes a database
// with all its tables, and on a disk that takes most of the time of a small test.
func StartMySQLInMemory(ctx context.Context, args ...string) (*Server, error) {
	binary, err := MySQLBinary()
	if err != nil {
		return nil, err
	}
	return startBelow(ctx, memoryFolder(), &mysqlServer{binary: binary, args: args})
}

type mysqlServer struct {
	binary string
	args   []string
}

func (m *mysqlServer) prepare(ctx context.Context, dir string) error {
	if err := os.WriteFile(initFile(dir), []byte(initSQL), 0o600); err != nil {
		return fmt.Errorf("write init file: %w", err)
	}
	return fillData(ctx, m.binary, mysqlData(dir))
}

func (m *mysqlServer) command(dir string, port int) (string, []string) {
	args := []string{
		"--no-defaults", // must come first
		"--datadir=" + mysqlData(dir),
		"--socket=" + mysqlSocket(dir),
		"--pid-file=" + filepath.Join(dir, "pid"),
		"--init-file=" + initFile(dir),
		"--tmpdir=" + dir,
		"--bind-address=127.0.0.1",
		"--skip-networking=0",
		"--skip-name-resolve",
		"--port=" + strconv.Itoa(port),
		"--max-connections=500",
		"--character-set-server=utf8mb4",
		"--innodb-buffer-pool-size=256M",
		"--innodb-flush-log-at-trx-commit=1",
		"--skip-log-bin",
		"--performance-schema=OFF",
	}
	return m.binary, slices.Concat(args, asRoot(), m.args)
}

// asRoot has the option without which the server refuses to run as root.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

func (*mysqlServer) probe(ctx context.Context, dir string) error {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = account, password, database
	config.Net, config.Addr = "unix", mysqlSocket(dir)
	config.Logger = &mysql.NopLogger{} // the first connections are refused
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

func (*mysqlServer) url(port int) string {
	return fmt.Sprintf("mysql://%s:%s@%s/%s", account, password, address(port), database)
}

func mysqlData(dir string) string   { return filepath.Join(dir, "data") }
func mysqlSocket(dir string) string { return filepath.Join(dir, "m.sock") }
func initFile(dir string) string    { return filepath.Join(dir, "init.sql") }
