package db

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
)

// OwnTables lists the tables that the migrations create, and their own.
func OwnTables() []string {
	tables := []string{migrationsTable}
	created := regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS (\w+)`)
	err := fs.WalkDir(migrations, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		text, err := migrations.ReadFile(name)
		for _, match := range created.FindAllSubmatch(text, -1) {
			tables = append(tables, string(match[1]))
		}
		return err
	})
	if err != nil { // they are part of the program
		panic(fmt.Sprintf("list own tables: %v", err))
	}
	return tables
}
