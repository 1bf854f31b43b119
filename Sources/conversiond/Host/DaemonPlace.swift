import Configuration
import Foundation

/// The daemon's place on this host: the unit that runs it, and the user that it runs as.
struct DaemonPlace {
  let user: DaemonUser
  private let configuration: Configuration
  private let file: String
  private let reading: ServiceUnit.Reading

  /// Asks systemd for the unit.
  ///
  /// - Parameters:
  ///   - configuration: The configuration of the daemon.
  ///   - file: Its file.
  init(_ configuration: Configuration, file: String) {
    (self.configuration, self.file) = (configuration, URL(fileURLWithPath: file).standardizedFileURL.path)
    reading = ServiceUnit(instance: configuration.instance).read()
    user = DaemonUser.expected(
      unit: reading.properties, configuration: self.file, ledger: configuration.ledgerPath)
  }

  /// The API's configuration, with the key's file that the unit hands over in place of `api.key_file`.
  var keyConfiguration: Configuration.API {
    var api = configuration.api
    if let handedOver = unit?.keyFile { api.keyFile = handedOver }
    return api
  }

  func ownerLines() -> [CheckLine] {
    let folder = ControlPaths(ledgerPath: configuration.ledgerPath, instance: configuration.instance).folders.first {
      FileManager.default.fileExists(atPath: $0)
    }
    // Without a unit there is no telling whether the key is handed over.
    let readsKey = unit.map { $0.credentials["api-key"] == nil } ?? false
    return OwnerCheck(
      user: user, ledgerPath: configuration.ledgerPath, runtimeFolder: folder,
      keyFile: readsKey ? configuration.api.keyFile : nil
    ).lines()
  }

  func unitLines(isOffline: Bool) -> [CheckLine] {
    UnitCheck.lines(reading, configuration: file, ledger: configuration.ledgerPath) { unit in
      UnitCircumstances(unit, configuration, isOffline: isOffline)
    }
  }

  /// The unit, where it is loaded and this configuration's.
  private var unit: UnitProperties? {
    guard let unit = reading.properties, unit.isLoaded else { return nil }
    return unit.serves(configuration: file, ledger: configuration.ledgerPath) ? unit : nil
  }
}

extension ServiceUnit.Reading {
  fileprivate var properties: UnitProperties? {
    if case .properties(let unit) = self { unit } else { nil }
  }
}
