// What the hello-container program of the TypeScript SDK does, and what it needs of an engine besides.
import { connection, dag, ExecError } from "@dagger.io/dagger"

await connection(
  async () => {
    const source = dag.directory().withNewFile("greeting", "hello\n")
    const container = dag.container().from(process.argv[2]).withDirectory("/src", source).withEnvVariable("NAME", "TypeScript")
    const out = await container.withExec(["sh", "-c", "cat /src/greeting; echo $NAME"]).stdout()
    console.log(out.trim().split("\n").join(" "))
    console.log(await container.directory("/src").entries())
    const synced = await container.withExec(["true"]).sync()
    for (const variable of await synced.envVariables()) {
      if ((await variable.name()) === "NAME") console.log("NAME", await variable.value())
    }
    try {
      await container.withExec(["sh", "-c", "echo out; echo no >&2; exit 3"]).sync()
    } catch (error) {
      if (!(error instanceof ExecError)) throw error
      console.log(error.exitCode, error.stdout, error.stderr)
    }
  },
  { LogOutput: process.stderr },
)
