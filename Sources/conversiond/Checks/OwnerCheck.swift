import Foundation

/// The owner and the mode of all that the daemon must open: one file of root's, as a restored backup is, keeps it from
/// starting.
struct OwnerCheck {
  /// A file's owner and mode; `group` and `owner` by number, `ownerName` for people.
  struct File: Sendable {
    var path: String
    var isFolder = false
    var owner: UInt32
    var ownerName: String
    var group: UInt32
    var mode: UInt16
  }

  let user: DaemonUser
  let ledgerPath: String
  /// The folder of the control socket.
  let runtimeFolder: String?
  /// The key's file where the daemon reads it by itself; nil where systemd hands it over.
  let keyFile: String?

  private var folder: String { (ledgerPath as NSString).deletingLastPathComponent }

  func lines() -> [CheckLine] {
    let ourselves = DaemonUser.ourselves
    guard ourselves.id == 0 || ourselves.id == user.id else {
      return [
        CheckLine(
          .warn, "owner", "this check is made as \(ourselves.name), and the daemon runs as \(user.name)",
          advice: "run it as root: it becomes the daemon's user then")
      ]
    }
    // The ledger's line tells of a folder that is missing.
    guard let folder = Self.file(folder) else { return [] }
    let needed = [folder] + Self.files(in: folder.path, named: (ledgerPath as NSString).lastPathComponent)
    var lines = needed.compactMap { Self.line(for: $0, user: user) }
    if let path = runtimeFolder, path != folder.path, let runtime = Self.file(path) {
      // The daemon makes its socket beside the ledger otherwise, and systemd mends the folder at a start.
      if let line = Self.line(for: runtime, user: user) {
        lines.append(CheckLine(.warn, line.subject, line.message, advice: line.advice))
      }
      lines += Self.files(in: path, named: "pacer-").compactMap { Self.line(for: $0, user: user) }
    }
    if let keyFile, let key = Self.file(keyFile), !Self.may(user, key, 4) {
      lines.append(
        CheckLine(
          .fail, "owner", "\(keyFile) belongs to \(key.ownerName), and the daemon, \(user.name), can't read it",
          advice: "put LoadCredential=api-key:\(keyFile) into the unit, or chown \(user.name): \(keyFile)"))
    }
    guard !lines.contains(where: { $0.verdict == .fail }) else { return lines }
    return lines + [
      CheckLine(.ok, "owner", "\(folder.path) and the ledger's files can be written by \(user.name), the daemon's user")
    ]
  }

  /// Judges one file; nil where the daemon can use it, and no other user can.
  static func line(for file: File, user: DaemonUser) -> CheckLine? {
    let path = file.path
    guard may(user, file, file.isFolder ? 7 : 6) else {
      if file.owner == user.id {
        let mode = file.isFolder ? "700" : "600"
        return CheckLine(
          .fail, "owner", "\(path) has mode \(String(file.mode, radix: 8)), with which \(user.name) can't write to it",
          advice: "chmod \(mode) \(path)")
      }
      return CheckLine(
        .fail, "owner", "\(path) belongs to \(file.ownerName), and the daemon runs as \(user.name)",
        advice: "chown \(user.name): \(path)")
    }
    // A sticky folder, as /tmp is, keeps each one's files.
    let forbidden: UInt16 = file.isFolder ? (file.mode & 0o1000 == 0 ? 0o002 : 0) : 0o004
    guard file.mode & forbidden != 0 else { return nil }
    return file.isFolder
      ? CheckLine(.warn, "owner", "any user can put files into \(path)", advice: "chmod 700 \(path)")
      : CheckLine(.warn, "owner", "any user can read \(path)", advice: "chmod 600 \(path): it may hold addresses")
  }

  /// True if the mode lets the user do all that `bits` say: 4 read, 2 write, 1 enter.
  private static func may(_ user: DaemonUser, _ file: File, _ bits: UInt16) -> Bool {
    if user.id == 0 { return true }
    let shift: UInt16 = file.owner == user.id ? 6 : user.groups.contains(file.group) ? 3 : 0
    return (file.mode >> shift) & bits == bits
  }

  /// The regular files of a folder whose names begin so: of a ledger its -wal, -shm and lock, too.
  private static func files(in folder: String, named prefix: String) -> [File] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Ledgers that were moved aside are no concern of the daemon's.
    let own = ["", "-wal", "-shm", "-journal", ".lock"].map { prefix + $0 }
    return names.filter { prefix.hasSuffix("-") ? $0.hasPrefix(prefix) : own.contains($0) }.sorted()
      .compactMap { file(folder + "/" + $0) }
  }

  private static func file(_ path: String) -> File? {
    // The attributes are those of a link itself otherwise.
    let target = (path as NSString).resolvingSymlinksInPath
    guard let found = try? FileManager.default.attributesOfItem(atPath: target) else { return nil }
    guard let owner = (found[.ownerAccountID] as? NSNumber)?.uint32Value,
      let group = (found[.groupOwnerAccountID] as? NSNumber)?.uint32Value,
      let mode = (found[.posixPermissions] as? NSNumber)?.uint16Value
    else { return nil }
    return File(
      path: path, isFolder: found[.type] as? FileAttributeType == .typeDirectory, owner: owner,
      ownerName: DaemonUser(id: owner, group: group).name, group: group, mode: mode)
  }
}
