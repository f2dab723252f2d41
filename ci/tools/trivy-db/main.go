// Command trivy-db makes a vulnerability database in Trivy's format from YAML fixtures: trivy-db OUT FIXTURE...
package main

import (
	"fmt"
	"os"

	fixtures "github.com/aquasecurity/bolt-fixtures"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: trivy-db OUT FIXTURE..."))
	}
	loader, err := fixtures.New(os.Args[1], os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := loader.Load(); err != nil {
		fail(err)
	}
	if err := loader.Close(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
