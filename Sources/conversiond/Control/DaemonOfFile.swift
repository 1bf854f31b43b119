import Configuration
import Conversions
import Foundation

/// Finds the running daemon by the configuration's file that it was started with: a file with mistakes names no ledger.
struct DaemonOfFile {
  let file: String
  let instance: Instance

  init(_ options: GlobalOptions) {
    file = URL(fileURLWithPath: options.configurationFile).standardizedFileURL.path
    instance = options.instance ?? .plain
  }

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
    guard case .sqlite(let ledger) = ConfigurationReader.ledgerLocation(inFile: file, instance: instance) else {
      return ControlPaths(ledgerPath: instance.ledgerFile, instance: instance).sockets
    }
    return ControlPaths(ledgerPath: ledger, instance: instance).sockets
  }
}
