// What the hello-container program of the Go SDK does, and what it needs of an engine besides.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"dagger.io/dagger"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, image string) error {
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	if err != nil {
		return err
	}
	defer client.Close()

	source := client.Directory().WithNewFile("greeting", "hello\n")
	container := client.Container().From(image).WithDirectory("/src", source).WithEnvVariable("NAME", "Go")
	out, err := container.WithExec([]string{"sh", "-c", "cat /src/greeting; echo $NAME"}).Stdout(ctx)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(strings.Fields(out), " "))

	entries, err := container.Directory("/src").Entries(ctx)
	if err != nil {
		return err
	}
	fmt.Println(entries)

	synced, err := container.WithExec([]string{"true"}).Sync(ctx)
	if err != nil {
		return err
	}
	variables, err := synced.EnvVariables(ctx)
	if err != nil {
		return err
	}
	for _, variable := range variables {
		if name, err := variable.Name(ctx); err != nil {
			return err
		} else if name == "NAME" {
			value, err := variable.Value(ctx)
			if err != nil {
				return err
			}
			fmt.Println(name, value)
		}
	}

	_, err = container.WithExec([]string{"sh", "-c", "echo out; echo no >&2; exit 3"}).Sync(ctx)
	if failed, ok := err.(*dagger.ExecError); ok {
		fmt.Println(failed.ExitCode, failed.Stdout, failed.Stderr)
		return nil
	}
	return fmt.Errorf("expected an ExecError, not %T: %v", err, err)
}
