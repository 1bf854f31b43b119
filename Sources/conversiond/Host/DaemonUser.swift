import Foundation
import Glibc
import Systemd

/// The user that the daemon runs as.
struct DaemonUser: Sendable, Equatable {
  let name: String
  let id: uid_t
  let group: gid_t
  let home: String

  /// Looks a user up by name, or by a number; nil where there is none.
  init?(named name: String) {
    let found = unsafe getpwnam(name)
    guard let entry = unsafe found ?? uid_t(name).flatMap({ unsafe getpwuid($0) }) else { return nil }
    unsafe self.init(entry.pointee)
  }

  /// Looks a user up by number. One without an entry is known by the number alone.
  init(id: uid_t, group: gid_t) {
    if let entry = unsafe getpwuid(id) {
      unsafe self.init(entry.pointee)
    } else {
      self.init(name: "\(id)", id: id, group: group, home: "/")
    }
  }

  private init(name: String, id: uid_t, group: gid_t, home: String) {
    (self.name, self.id, self.group, self.home) = (name, id, group, home)
  }

  private init(_ entry: passwd) {
    unsafe self.init(
      name: String(cString: entry.pw_name), id: entry.pw_uid, group: entry.pw_gid, home: String(cString: entry.pw_dir))
  }

  /// The groups it belongs to: of a container's process also those that no file names.
  var groups: [gid_t] {
    if id == geteuid() {
      var own = [gid_t](repeating: 0, count: 256)
      let count = unsafe getgroups(256, &own)
      return [group] + own.prefix(Int(max(count, 0)))
    }
    var (found, count) = ([gid_t](repeating: 0, count: 256), Int32(256))
    guard unsafe getgrouplist(name, group, &found, &count) >= 0 else { return [group] }
    return [group] + found.prefix(Int(count))
  }

  static var ourselves: DaemonUser { DaemonUser(id: geteuid(), group: getegid()) }

  /// Returns the user that a daemon with this ledger runs as: the unit's; without one, and for root, the package's; else
  /// the owner of the ledger's folder, unless that is root; else ourselves.
  static func expected(unit: UnitProperties?, configuration: String, ledger: String) -> DaemonUser {
    if let unit, unit.isLoaded, unit.serves(configuration: configuration, ledger: ledger) {
      let name = unit["User"] ?? ""
      if let user = DaemonUser(named: name.isEmpty ? "root" : name) { return user }
    }
    let isInstalled = configuration.hasPrefix("/etc/conversiond/") || ledger.hasPrefix("/var/lib/conversiond/")
    if geteuid() == 0, isInstalled, let user = DaemonUser(named: "conversiond") { return user }
    var status = stat()
    let folder = (ledger as NSString).deletingLastPathComponent
    // A folder of root's is one that a user other than root has to be given, and says nothing about the daemon's user.
    guard unsafe stat(folder, &status) == 0, status.st_uid != 0 else { return ourselves }
    return DaemonUser(id: status.st_uid, group: status.st_gid)
  }

  /// Lets a command of root's go on as this user, with its groups and its home, in which libpq looks for passwords.
  ///
  /// - Throws: `CommandFailure` 77.
  func become() throws {
    guard geteuid() == 0, id != 0 else { return }
    guard unsafe initgroups(name, group) == 0 || setgroups(0, nil) == 0, setgid(group) == 0, setuid(id) == 0 else {
      throw CommandFailure(.permission, "cannot become the daemon's user, \(name)")
    }
    unsafe setenv("HOME", home, 1)
    CoreDumps.forbid()
  }
}
