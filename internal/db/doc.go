// Package db is the connection to the database: MySQL, MariaDB or SQLite through
// GORM. It runs transactions again that the database asks to repeat, tells errors
// by what the caller should do, inserts in bulk, and migrates the schema. It has
// no table of its own but that of the migrations.
package db
