import Configuration
import Conversions
import Foundation

/// Finds the running daemon by the configuration's file that it was started with: a file with mistakes names no ledger.
struct DaemonOfFile {
  let file: String

  init(_ path: String) { file = URL(fileURLWithPath: path).standardizedFileURL.path }

  /// Sends a request to it.
  ///
  /// - Returns: The answer; nil where no such daemon runs.
  /// - Throws: `CommandFailure` as `ControlClient` does.
  func ask(_ request: (ControlClient) throws -> ControlClient.Answer?, patience: Int = 2) throws -> ControlClient
    .Answer?
  {
    for path in sockets {
      guard let answer = try ControlClient(path: path).get("/v1/configuration"),
        String(decoding: answer.body, as: UTF8.self) == file
      else { continue }
      if let answer = try request(ControlClient(path: path, patience: patience)) { return answer }
    }
    return nil
  }

  /// Sockets of daemons: those beside the ledger, too, where the file names one.
  private var sockets: [String] {
    // Asks nothing more of the file: its mistakes are told elsewhere.
    let reading = try? ConfigurationReader.read(file: file).get()
    return ControlPaths(ledgerPath: reading?.configuration.ledgerPath ?? ControlPaths.usualLedger).sockets
  }
}
