import Configuration
import Conversions
import Foundation
import Testing

@testable import conversiond

/// The unit's settings, by tables of what systemd shows.
@Suite struct UnitCheckTests {
  private static let about = UnitCircumstances(
    ledgerFolder: "/var/lib/conversiond",
    peers: [.init(name: "the API's host, api.example", addresses: [IPAddress("203.0.113.7")].compactMap(\.self))])

  private static func shown(_ changes: [String: String] = [:], without names: [String] = [], files: [UnitFile]? = nil)
    -> UnitProperties
  {
    var values = UnitProperties.values(shown: ShownUnit.package)
    values["UnitFileState"] = "enabled"
    for (name, value) in changes { values[name] = value }
    for name in names { values[name] = nil }
    return UnitProperties(unit: "conversiond.service", values: values, files: files ?? [package("conversiond.service")])
  }

  private static func package(_ name: String) -> UnitFile {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../deploy/debian/\(name)").path
    return UnitFile(path: path, text: (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
  }

  @Test func thePackagesUnitAsSystemdShowsItHasNoWarning() {
    let lines = UnitCheck.lines(Self.shown(), Self.about)
    #expect(lines.map(\.verdict) == [.ok], "\(lines)")
    // As it is installed: disabled.
    let disabled = UnitCheck.lines(Self.shown(["UnitFileState": "disabled"]), Self.about)
    #expect(disabled.map(\.advice) == ["systemctl enable conversiond.service"])
  }

  /// The file as it is now, by the way in which systemd shows its settings.
  @Test(arguments: ["conversiond.service", "conversiond@.service"])
  func thePackagesFileHasNoWarning(name: String) throws {
    let file = Self.package(name)
    var values = [
      "LoadState": "loaded", "UnitFileState": "enabled", "NeedDaemonReload": "no", "DynamicUser": "no",
      "PrivateNetwork": "no", "ProcSubset": "all", "IPAddressDeny": "", "IPAddressAllow": "", "ReadWritePaths": "",
      "LoadCredential": "[unprintable]", "SystemCallErrorNumber": "2147483646", "SystemCallFilter": "~",
      "RestrictAddressFamilies": "~", "Restart": "no", "RestartPreventExitStatus": "", "MemoryMax": "infinity",
      "StateDirectoryMode": "0755", "RuntimeDirectoryPreserve": "no", "StartLimitIntervalUSec": "10s", "Type": "simple",
    ]
    for property in UnitCheck.propertyNames where values[property] == nil { values[property] = "no" }
    for (name, value) in file.settings {
      let shown = Self.shown(name: name, value)
      // Each line adds to a list.
      let isList = ["SystemCallFilter"].contains(name) && values[name] != "~"
      values[shown.name] = isList ? "\(values[name] ?? "") \(shown.value)" : shown.value
    }
    let unit = UnitProperties(unit: name, values: values, files: [file])
    let lines = UnitCheck.lines(unit, Self.about)
    #expect(lines.map(\.verdict) == [.ok], "\(lines)")
    #expect(unit.credentials["api-key"]?.hasPrefix("/etc/conversiond/") == true)
  }

  private static func shown(name: String, _ value: String) -> (name: String, value: String) {
    switch name {
    case "StartLimitIntervalSec", "WatchdogSec", "TimeoutStopSec": (name.replacing("Sec", with: "USec"), value)
    case "LimitNOFILE": ("LimitNOFILESoft", value)
    case "MemoryMax", "MemoryHigh": (name, String((UInt64(value.dropLast()) ?? 0) << 20))
    case "SystemCallErrorNumber": (name, value == "EPERM" ? "1" : value)
    case "ExecStart": (name, "{ path=/usr/bin/conversiond ; argv[]=\(value) ; ignore_errors=no }")
    default: (name, value)
    }
  }

  @Test(arguments: [
    ("Type", "simple", "warn", "for started"), ("Type", "forking", "FAIL", "never ends"),
    ("Type", "notify-reload", "warn", "reload"), ("User", "", "warn", "runs as root"),
    ("DynamicUser", "yes", "FAIL", "moved"),
    ("Restart", "no", "warn", "stays dead"), ("Restart", "on-abnormal", "warn", "stays dead"),
    ("RestartPreventExitStatus", "64 65 78", "warn", "77 is missing"),
    ("RestartPreventExitStatus", "", "warn", "64, 65, 77, 78 are missing"),
    ("StartLimitIntervalUSec", "10s", "warn", "stays dead"),
    ("StartLimitIntervalUSec", "1min 30s", "warn", "stays dead"),
    ("WatchdogUSec", "5s", "warn", "killed"), ("TimeoutStopUSec", "10s", "warn", "up to 30 s"),
    ("StateDirectory", "", "FAIL", "by ProtectSystem=strict"),
    ("StateDirectory", "shop", "FAIL", "by ProtectSystem=strict"),
    ("ReadOnlyPaths", "/var/lib/conversiond", "FAIL", "by ReadOnlyPaths=/var/lib/conversiond"),
    ("InaccessiblePaths", "-/var/lib/conversiond", "FAIL", "by InaccessiblePaths"),
    ("StateDirectoryMode", "0755", "warn", "other users"), ("RuntimeDirectory", "", "warn", "/run/conversiond"),
    ("RuntimeDirectoryPreserve", "no", "warn", "last minute"), ("ProcSubset", "pid", "warn", "boot_id"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6", "FAIL", "AF_UNIX is missing"),
    ("RestrictAddressFamilies", "AF_INET AF_UNIX", "warn", "AF_INET6 is missing"),
    ("RestrictAddressFamilies", "~AF_INET AF_NETLINK", "warn", "AF_INET is missing"),
    ("RestrictAddressFamilies", "", "FAIL", "AF_UNIX, AF_INET, AF_INET6"), ("PrivateNetwork", "yes", "FAIL", "API"),
    ("IPAddressDeny", "::/0 0.0.0.0/0", "warn", "can't reach the API's host, api.example"),
    ("MemoryMax", "104857600", "warn", "100 MiB"), ("MemoryMax", "62914560", "FAIL", "60 MiB"),
    ("MemoryHigh", "104857600", "warn", "100 MiB"), ("LimitNOFILESoft", "100", "warn", "files"),
    ("SystemCallErrorNumber", "2147483646", "FAIL", "SIGSYS"), ("NeedDaemonReload", "yes", "warn", "the old ones"),
    ("UnitFileState", "disabled", "warn", "boots"), ("UnitFileState", "static", "warn", "[Install]"),
    ("UnitFileState", "transient", "warn", "gone after a boot"), ("NoNewPrivileges", "no", "warn", "sandbox is weaker"),
    ("ProtectSystem", "full", "warn", "ProtectSystem=full"),
    ("CapabilityBoundingSet", "cap_chown", "warn", "cap_chown"),
    ("SystemCallFilter", "~", "warn", "SystemCallFilter="),
  ])
  func aSettingIsJudged(property: String, value: String, verdict: String, words: String) {
    let lines = UnitCheck.lines(Self.shown([property: value]), Self.about)
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.verdict.rawValue == verdict, "\(lines)")
    #expect(lines.first?.message.contains(words) == true, "\(lines)")
    #expect(lines.first?.advice?.isEmpty == false)
  }

  @Test(arguments: [
    ("Restart", "always"), ("WatchdogUSec", "0"), ("WatchdogUSec", "20min"), ("WatchdogUSec", "infinity"),
    ("RestartPreventExitStatus", "TERM 64 65 66 77 78"), ("ProtectHome", "tmpfs"), ("RestrictAddressFamilies", "~"),
    ("RestrictAddressFamilies", "~AF_NETLINK"), ("MemoryMax", "infinity"), ("LimitNOFILESoft", "infinity"),
    ("IPAddressDeny", "198.51.100.0/24"), ("ReadOnlyPaths", "/var/lib"), ("RuntimeDirectory", "conversiond other"),
  ])
  func aSettingIsRight(property: String, value: String) {
    let lines = UnitCheck.lines(Self.shown([property: value]), Self.about)
    #expect(lines.map(\.verdict) == [.ok], "\(lines)")
  }

  @Test func aPropertyThatThisSystemdDoesNotHaveIsNotJudged() {
    let lines = UnitCheck.lines(Self.shown(without: ["ProcSubset", "PrivateIPC"]), Self.about)
    #expect(lines.map(\.verdict) == [.ok], "\(lines)")
  }

  @Test func aDropInIsNamed() {
    let place = "/etc/systemd/system/conversiond.service.d/weak.conf"
    var values = UnitProperties.values(shown: ShownUnit.package)
    values.merge(UnitProperties.values(shown: ShownUnit.weakened)) { $1 }
    let unit = UnitProperties(
      unit: "conversiond.service", values: values,
      files: [Self.package("conversiond.service"), UnitFile(path: place, text: ShownUnit.dropIn)])
    #expect(unit.credentials == ["api-key": "/etc/conversiond/api-key.cred"])
    #expect(unit.keyFile == nil, "nobody but systemd can read it")
    let lines = UnitCheck.lines(unit, Self.about)
    // The unit that isn't enabled is no drop-in's doing, and the credential is handed over.
    for line in lines where !line.message.contains("UnitFileState") { #expect(line.message.contains(place), "\(line)") }
    for words in [
      "DynamicUser=yes", "77, 78 are missing", "StartLimitIntervalUSec=10s", "StateDirectoryMode=0755",
      "ProcSubset=pid",
      "AF_INET, AF_INET6 are missing", "can't reach the API's host", "60 MiB", "LimitNOFILESoft=100",
      "sandbox is weaker than the package's: RestrictNamespaces=no, PrivateUsers=no, CapabilityBoundingSet=cap_net_admin",
    ] { #expect(lines.contains { $0.message.contains(words) }, "\(words): \(lines)") }
  }

  @Test func aCredentialThatIsMissingIsSaid() {
    let bare = UnitFile(path: "/x", text: "[Service]\nLoadCredential=other:/etc/other\n")
    let none = UnitCheck.lines(Self.shown(files: [bare]), Self.about)
    #expect(
      none.map(\.message) == [
        "LoadCredential: no api-key is handed over, so the daemon's user must read api.key_file by itself"
      ])
    var about = Self.about
    about.missingFiles = ["/etc/conversiond/api-key"]
    let missing = UnitCheck.lines(Self.shown(), about)
    #expect(missing.map(\.verdict) == [.fail] && missing[0].message.contains("/etc/conversiond/api-key isn't there"))
    about = Self.about
    about.userExists = false
    #expect(
      UnitCheck.lines(Self.shown(), about).map(\.message) == [
        "User=conversiond: there is no such user, and the start fails"
      ])
  }

  @Test func aUnitThatIsNotOursOrNotThereIsOneLine() throws {
    func lines(_ reading: ServiceUnit.Reading, _ configuration: String = "/etc/conversiond/conversiond.yaml")
      -> [CheckLine]
    {
      UnitCheck.lines(reading, configuration: configuration, ledger: "/srv/l") { _ in Self.about }
    }
    #expect(lines(.noSystemd).map(\.message) == ["skipped: systemd does not run here"])
    #expect(lines(.silent("no bus")).map(\.verdict) == [.ok])
    #expect(lines(.properties(Self.shown(["LoadState": "not-found"]))).map(\.verdict) == [.ok])
    #expect(lines(.properties(Self.shown(["LoadState": "masked"]))).map(\.verdict) == [.fail])
    #expect(lines(.properties(Self.shown(["LoadState": "bad-setting"]))).map(\.verdict) == [.fail])
    let other = lines(.properties(Self.shown()), "/tmp/trial.yaml")
    #expect(
      other.map(\.message) == [
        "skipped: conversiond.service runs /etc/conversiond/conversiond.yaml, and not /tmp/trial.yaml"
      ])
    let own = "{ path=/usr/bin/conversiond ; argv[]=/usr/bin/conversiond run --config /srv/a.yaml ; ignore_errors=no }"
    #expect(Self.shown(["ExecStart": own]).serves(configuration: "/srv/x/../a.yaml", ledger: "/srv/l"))
    #expect(ServiceUnit().name == "conversiond.service")
    #expect(ServiceUnit(instance: try Instance(name: "shop2")).name == "conversiond@shop2.service")
  }
}
