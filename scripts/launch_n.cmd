@echo off
rem Starts several copies of share_data, each in a console window or a pane of its own. See launch_n.cmd /?
rem A path may contain & ^ % ! and brackets: it is used in quotes, and not in the body of a for.
rem `ver` sets errorlevel to 0, and `start` leaves it there unless it fails.
setlocal DisableDelayedExpansion
set "here=%~dp0"
if "%~1"=="/?" goto usage
if /i "%~1"=="--help" goto usage
set "panes="
set "count=3"
if "%~1"=="" goto check
if /i "%~1"=="--panes" goto check
set "count=%~1"
shift
:check
set /a number=count 2>nul
if not "%number%"=="%count%" goto usage_error
if %number% lss 1 goto usage_error
if %number% gtr 100 goto usage_error
if /i not "%~1"=="--panes" goto options
set "panes=yes"
shift

rem Whatever follows goes to every copy.
:options
set "options="
:next_option
if "%~1"=="" goto find
set options=%options% %1
shift
goto next_option

rem SHARE_DATA_EXE may be in quotes.
:find
set "exe="
if not defined SHARE_DATA_EXE goto search_first
set "exe=%SHARE_DATA_EXE:"=%"
goto launch
:search_first
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
if not defined panes goto next_copy
for %%p in (wt.exe) do set "terminal=%%~$PATH:p"
if defined terminal goto launch_panes
echo launch_n: there is no Windows Terminal (wt.exe), so each copy gets a window

:next_copy
ver >nul
start "share_data %number% of %count%" "%exe%"%options%
if not %errorlevel%==0 (
  echo launch_n: copy %number% could not be started 1>&2
  exit /b 1
)
set /a number+=1
if %number% leq %count% goto next_copy
exit /b 0

rem One row for each copy, all of the same height: each new one takes its share of the row that was last.
:launch_panes
if %count% gtr 10 (
  echo launch_n: a window has room for 10 panes 1>&2
  exit /b 2
)
set actions=new-tab --title "share_data" "%exe%"%options%
:next_pane
set /a number+=1
if %number% gtr %count% goto show_panes
set /a share=(100 * (count - number + 1)) / (count - number + 2)
set actions=%actions% ; split-pane --horizontal --size 0.%share% "%exe%"%options%
goto next_pane
:show_panes
"%terminal%" %actions%
if %errorlevel%==0 exit /b 0
echo launch_n: Windows Terminal failed 1>&2
exit /b 1
:search
for %%p in (
  "%here%share_data.exe"
  "%here%..\build\msvc\windows\Release\share_data.exe"
  "%here%..\build\mingw\windows\share_data.exe"
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
echo launch_n: not a number of copies from 1 to 100: %count% 1>&2
exit /b 2

:usage
echo Starts several copies of share_data, each in a console window of its own.
echo.
echo   launch_n [N [--panes] [options of share_data]]
echo.
echo   launch_n 5                 five copies; without arguments, three
echo   launch_n 5 --panes         in panes of one window, if there is Windows Terminal
echo   launch_n 5 --via mapping   five that share through a named mapping
echo.
echo Stop a copy with Ctrl+C or by closing its window, or kill it with taskkill /f /pid and its number.
echo share_data.exe is taken from the folder build, or built there; or set SHARE_DATA_EXE.
exit /b 0
