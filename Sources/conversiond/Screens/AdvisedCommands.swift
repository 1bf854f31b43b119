import ArgumentParser
import Configuration
import Synchronization

/// Completes the commands that texts name, so that they are this process's instance's: `conversiond queue release ALL`,
/// typed as the plain instance's log says it, must not release another shop's orders.
enum AdvisedCommands {
  private static let current = Mutex(Instance.plain)
  private static let names = Set(Conversiond.configuration.subcommands.compactMap { $0.configuration.commandName })

  /// Sets the instance of this process.
  static func address(_ instance: Instance) { current.withLock { $0 = instance } }

  /// The text with each command as it is to be typed for this process's instance.
  static func addressed(_ text: String) -> String { addressed(text, to: current.withLock { $0 }) }

  /// The text with each command as it is to be typed for an instance: `--instance` where the program is asked, and its
  /// unit where systemd is.
  static func addressed(_ text: String, to instance: Instance) -> String {
    guard let name = instance.name, text.contains("conversiond") else { return text }
    let program = text.replacing(#/\bconversiond (?<command>[a-z]+(?:-[a-z]+)*)/#) { match in
      names.contains(String(match.command)) ? "conversiond --instance \(name) \(match.command)" : String(match.0)
    }
    let unit =
      #/(?<tool>\bsystemctl (?:--?[a-z-]+ )*[a-z-]+ (?:--?[a-z-]+ )*|\bjournalctl (?:[^ \n]+ )*?-u )conversiond(?![@A-Za-z0-9_-])/#
    return program.replacing(unit) { "\($0.tool)\(instance.unit)" }
  }
}
