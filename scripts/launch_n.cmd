@echo off
rem Starts several copies of share_data, each in a console window of its own. See launch_n.cmd /?
rem A path may contain & ^ % ! and brackets: it is used in quotes, and not in the body of a for.
setlocal DisableDelayedExpansion

set "here=%~dp0"
if "%~1"=="/?" goto usage
if /i "%~1"=="--help" goto usage

set "count=%~1"
if not defined count set "count=3"
set /a number=count 2>nul
if not "%number%"=="%count%" goto usage_error
if %number% lss 1 goto usage_error
if %number% gtr 100 goto usage_error

rem Whatever follows the number goes to every copy.
set "options="
:next_option
shift
if "%~1"=="" goto find
set options=%options% %1
goto next_option

:find
set "exe=%SHARE_DATA_EXE%"
if defined exe goto launch
call :search
if not defined exe call :build
if not defined exe exit /b 1

:launch
if not exist "%exe%" (
  echo launch_n: there is no "%exe%" 1>&2
  exit /b 1
)
echo Starting %count% copies of "%exe%"
set number=1
:next_copy
start "share_data %number% of %count%" "%exe%"%options%
set /a number+=1
if %number% leq %count% goto next_copy
exit /b 0

:search
for %%p in (
  "%here%share_data.exe"
  "%here%..\build\msvc\windows\Release\share_data.exe"
  "%here%..\build\msvc\windows\share_data.exe"
  "%here%..\build\release-mingw\windows\share_data.exe"
  "%here%..\build\mingw\windows\share_data.exe"
  "%here%..\build\clang-mingw\windows\share_data.exe"
) do if not defined exe if exist "%%~p" set "exe=%%~fp"
exit /b 0

:build
echo Building share_data first...
pushd "%here%.."
cmake --preset msvc && cmake --build --preset msvc
popd
call :search
if not defined exe echo launch_n: nothing was built: CMake and Visual Studio with C++ are needed 1>&2
exit /b 0

:usage_error
echo launch_n: not a number of copies from 1 to 100: %1 1>&2
exit /b 2

:usage
echo Starts several copies of share_data, each in a console window of its own.
echo.
echo   launch_n [N] [options of share_data]
echo.
echo   launch_n 5                 five copies; without a number, three
echo   launch_n 5 --via mapping   five that share through a named mapping
echo   launch_n 5 --via dll       five that share through share_data_table.dll
echo.
echo Stop a copy with Ctrl+C in its window or by closing the window, or end it in
echo the Task Manager: the others show what they saw.
echo.
echo Takes share_data.exe from the folder build, and builds it if there is none.
echo Set SHARE_DATA_EXE to take another one.
exit /b 0
