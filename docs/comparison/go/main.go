// Command peers runs asynq or River with one job and one INSERT a file:
//
//	peers asynq|river worker
//	peers asynq|river FOLDER
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "github.com/go-sql-driver/mysql"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: peers asynq|river worker|FOLDER")
	}
	switch args[0] + " " + args[1] {
	case "asynq worker":
		return asynqWorker()
	case "river worker":
		return riverWorker(ctx)
	}
	if args[0] == "river" {
		return riverSubmit(ctx, args[1])
	}
	return asynqSubmit(args[1])
}

func prepare() (*sql.Stmt, error) {
	db, err := sql.Open("mysql", "root@unix("+os.Getenv("CMP_MYSQL_SOCKET")+")/cmp")
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(8)
	return db.Prepare("INSERT INTO results (path, outcome, size) VALUES (?, 'succeeded', ?)")
}

// record is the handler's work and its result.
func record(ctx context.Context, insert *sql.Stmt, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = insert.ExecContext(ctx, path, info.Size())
	return err
}

// inThousands calls f with the paths in a folder, a thousand at a time.
func inThousands(folder string, f func(paths []string) error) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var paths []string
	for i, e := range entries {
		paths = append(paths, filepath.Join(folder, e.Name()))
		if len(paths) == 1000 || i == len(entries)-1 {
			if err := f(paths); err != nil {
				return err
			}
			paths = paths[:0]
		}
	}
	return nil
}
