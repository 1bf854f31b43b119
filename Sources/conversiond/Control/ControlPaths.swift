import Configuration
import Conversions
import Foundation
import PartnersAPI

/// The places of the daemon's control socket and the host's pacer file.
struct ControlPaths: Sendable {
  /// Folders in the order in which they are tried: the one systemd gives a service (RuntimeDirectory=,
  /// systemd.exec(5)), its usual place, and the ledger's folder, for a daemon that runs without systemd.
  let folders: [String]
  private let instance: Instance

  init(
    ledgerPath: String, instance: Instance, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.instance = instance
    let given = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init)
    let beside = (ledgerPath as NSString).deletingLastPathComponent
    folders = [given, "/run/conversiond", beside].compactMap { $0 }
  }

  /// The folder in which a daemon makes its socket: the first that it may write to and where no other daemon listens.
  /// The caller holds its ledger's lock, so a daemon that listens serves another ledger.
  var daemonFolder: String? {
    writable.first { (try? ControlClient(path: socket(in: $0)).get("/v1/ledger")) == nil }
  }

  /// The folder of the host's pacer files: the first that a daemon may write to, even where another one listens, as all
  /// daemons of this host share one address and one limit.
  var pacerFolder: String? { writable.first }

  private var writable: [String] { folders.filter { FileManager.default.isWritableFile(atPath: $0) } }

  func socket(in folder: String) -> String { folder + "/" + instance.socketName }

  /// The sockets that a command asks, in order.
  var sockets: [String] {
    folders.map(socket(in:)).filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// One pacer for the host and base URL, so that a trial against a sandbox doesn't hold up the real one.
  static func pacer(in folder: String, baseURL: PartnersBaseURL) -> String {
    folder + "/" + WritePacer.fileName(for: baseURL)
  }
}
