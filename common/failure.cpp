#include "failure.h"

#include <exception>
#include <system_error>

namespace share_data {

ExitCode report_exception(const Log& log) {
  try {
    throw;
  } catch (const Failure& failure) {
    log.error(failure.what());
    if (!failure.hint().empty()) log.error(failure.hint());
    return failure.code();
  } catch (const std::system_error& error) {
    if (reader_is_gone(error.code())) return success;
    log.error(error.what());
  } catch (const std::exception& error) {
    log.error(error.what());
  }
  return system_failure;
}

}  // namespace share_data
