import ArgumentParser
import Conversions
import Dispatch
import Glibc

/// The program: parses, runs one command, and ends with the exit status that the command documents.
@main
struct Main {
  static func main() {
    // A peer that closes its end must be an error of that write, not the end of the daemon (signal(7)).
    signal(SIGPIPE, SIG_IGN)
    // A file that may grow no more, too (setrlimit(2), RLIMIT_FSIZE).
    signal(SIGXFSZ, SIG_IGN)
    Task.detached(priority: .medium) {
      await runCommand()
      exit(0)
    }
    dispatchMain()
  }

  private static func runCommand() async {
    do {
      let arguments = ArgumentOrder.globalOptionsLast(Array(CommandLine.arguments.dropFirst()))
      var command = try Conversiond.parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let failure as CommandFailure {
      end(failure)
    } catch let failure as LedgerFailure {
      end(CommandFailure(failure))
    } catch {
      Conversiond.exit(withError: error)
    }
  }

  private static func end(_ failure: CommandFailure) -> Never {
    for detail in failure.warnings + failure.details { StandardStreams.writeError("\(detail)\n") }
    StandardStreams.writeError("conversiond: \(printable(failure.message))\n")
    exit(failure.status.rawValue)
  }

  /// Keeps line breaks, as several mistakes are several lines; nothing else of a message may steer a terminal.
  private static func printable(_ message: String) -> String {
    message.split(separator: "\n", omittingEmptySubsequences: false).map { Table.printable(String($0)) }
      .joined(separator: "\n")
  }
}
