@echo off
rem Starts several copies of share_data, each in a console window of its own. See launch_n.cmd /?
setlocal

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
set "root=%~dp0.."
if defined SHARE_DATA_EXE (
  set "exe=%SHARE_DATA_EXE%"
  goto launch
)
call :search
if not defined exe call :build
if not defined exe exit /b 1

:launch
if not exist "%exe%" (
  echo launch_n: there is no "%exe%" 1>&2
  exit /b 1
)
echo Starting %count% copies of %exe%
rem The program that places windows side by side lies beside share_data.exe.
for %%p in ("%exe%") do set "placer=%%~dpplaunch_windows.exe"
if exist "%placer%" (
  "%placer%" %count% "%exe%"%options%
  exit /b
)
for /l %%i in (1,1,%count%) do start "share_data %%i of %count%" "%exe%"%options%
exit /b 0

:search
for %%p in (
  "%~dp0share_data.exe"
  "%root%\build\msvc\windows\Release\share_data.exe"
  "%root%\build\msvc\windows\share_data.exe"
  "%root%\build\mingw\windows\share_data.exe"
  "%root%\build\clang-mingw\windows\share_data.exe"
) do if not defined exe if exist %%p set "exe=%%~fp"
exit /b 0

:build
echo Building share_data first...
pushd "%root%"
cmake --preset msvc && cmake --build --preset msvc
popd
call :search
if not defined exe echo launch_n: nothing was built: CMake and Visual Studio with C++ are needed 1>&2
exit /b 0

:usage_error
echo launch_n: not a number of copies from 1 to 100: %1 1>&2
exit /b 2

:usage
echo Starts several copies of share_data, each in a console window of its own, side
echo by side where launch_windows.exe lies beside share_data.exe.
echo.
echo   launch_n [N] [options of share_data]
echo.
echo   launch_n 5                 five copies; without a number, three
echo   launch_n 5 --via mapping   five that share through a named mapping
echo.
echo Stop a copy with Ctrl+C in its window or by closing the window, or end it in
echo the Task Manager: the others tell what they saw.
echo.
echo Takes share_data.exe from the folder build, and builds it where there is none.
echo Set SHARE_DATA_EXE to take another one.
exit /b 0
